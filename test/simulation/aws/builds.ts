import { awsError } from "../world/call.ts";
import type { World } from "../world/world.ts";
import { BREAKS, NEVER_STARTS } from "./lambda.ts";
import type { Objects } from "./objects.ts";

type Variable = { name: string; value: string };
export type Build = {
  readonly id: string;
  readonly arn: string;
  readonly project: string;
  readonly deploymentId: string;
  readonly artifact: { bucket: string; key: string };
  readonly began: number;
  status: string;
  /** virtual time at which it ended */
  endedAt: number;
  stopping: boolean;
};
export type Builds = ReturnType<typeof buildsOf>;

const TOKEN_MS = 5 * 60_000;

/** CodeBuild: builds take minutes, end in every way, and what they say of themselves may get lost. */
export const buildsOf = (
  world: World,
  objects: Objects,
  say: (event: { source: string; "detail-type": string; detail: object }) => void,
  started: (build: Build) => void,
) => {
  const { faults } = world;
  const builds = new Map<string, Build>();
  const tokens = new Map<string, { build: Build; until: number }>();

  const report = (build: Build): void => {
    if (faults.strikes("build-event-dropped")) return;
    say({
      source: "aws.codebuild",
      "detail-type": "CodeBuild Build State Change",
      detail: { "build-id": build.arn, "build-status": build.status, "project-name": build.project },
    });
  };
  const end = (build: Build, status: string): void => {
    if (build.status !== "IN_PROGRESS") return;
    build.status = status;
    build.endedAt = world.now();
    world.tell(() => `build ${build.id} ends: ${status}`);
    report(build);
  };
  const finish = (build: Build): void => {
    if (build.status !== "IN_PROGRESS") return;
    if (faults.strikes("build-failed")) {
      end(build, world.random.pick(["FAILED", "FAULT", "TIMED_OUT"]));
      return;
    }
    const mood = faults.strikes("version-failed") ? NEVER_STARTS : faults.strikes("check-failed") ? BREAKS : "works";
    // where little is kept, what two releases share is soon of none that stays
    const shared = world.random.int(world.keep === undefined ? 2 : 4);
    objects.write(build.artifact.bucket, build.artifact.key, JSON.stringify({ id: build.deploymentId, mood, shared }));
    end(build, "SUCCEEDED");
  };
  const described = (build: Build) => ({
    id: build.id,
    arn: build.arn,
    buildStatus: build.status,
    environment: { environmentVariables: [{ name: "SHIPLOG_DEPLOYMENT", value: build.deploymentId }] },
    artifacts: build.status === "SUCCEEDED" ? { location: `arn:aws:s3:::${build.artifact.bucket}/${build.artifact.key}` } : {},
    exportedEnvironmentVariables: [{ name: "NEXT_VERSION", value: "16" }],
    logs: { groupName: `/aws/codebuild/${build.project}`, streamName: build.id.slice(build.project.length + 1) },
    phases: ["SUCCEEDED", "IN_PROGRESS", "STOPPED"].includes(build.status)
      ? []
      : [{ phaseType: "BUILD", phaseStatus: build.status, contexts: [{ message: "npm run build: 1" }] }],
  });

  const api = {
    StartBuild: ({
      projectName,
      idempotencyToken,
      environmentVariablesOverride,
      artifactsOverride,
    }: {
      projectName: string;
      idempotencyToken: string;
      environmentVariablesOverride: Variable[];
      artifactsOverride: { location: string; path: string; name: string };
    }) => {
      const known = tokens.get(idempotencyToken);
      if (known !== undefined && known.until > world.now()) return { build: described(known.build) };
      if (faults.strikes("build-refused")) throw awsError("AccountLimitExceededException", 400);
      const number = `b${(builds.size + 1).toString().padStart(4, "0")}`;
      const build: Build = {
        id: `${projectName}:${number}`,
        arn: `arn:aws:codebuild:eu-west-1:000000000000:build/${projectName}:${number}`,
        project: projectName,
        deploymentId: environmentVariablesOverride.find(({ name }) => name === "SHIPLOG_DEPLOYMENT")?.value ?? "",
        artifact: { bucket: artifactsOverride.location, key: `${artifactsOverride.path}/${artifactsOverride.name}` },
        began: world.now(),
        status: "IN_PROGRESS",
        endedAt: Number.POSITIVE_INFINITY,
        stopping: false,
      };
      builds.set(build.id, build);
      started(build);
      tokens.set(idempotencyToken, { build, until: world.now() + TOKEN_MS });
      world.after(world.latency(), () => report(build));
      world.after(world.haste ? world.random.between(20_000, 22_000) : world.random.spread(20_000, 600_000), () => finish(build));
      return { build: described(build) };
    },
    StopBuild: ({ id }: { id: string }) => {
      const build = builds.get(id);
      if (build === undefined) throw awsError("ResourceNotFoundException", 400);
      build.stopping = true;
      world.after(world.random.spread(100, 30_000), () => end(build, "STOPPED"));
      return { build: described(build) };
    },
    BatchGetBuilds: ({ ids }: { ids: string[] }) => ({
      builds: ids.flatMap((id) => (builds.has(id) ? [described(builds.get(id) as Build)] : [])),
    }),
    ListBuildsForProject: ({ projectName }: { projectName: string }) => ({
      ids: [...builds.values()]
        .filter(({ project }) => project === projectName)
        .map(({ id }) => id)
        .reverse(),
    }),
  };
  return {
    api: api as unknown as Readonly<Record<string, (input: unknown) => unknown>>,
    all: builds as ReadonlyMap<string, Build>,
    isRunning: (): boolean => [...builds.values()].some(({ status }) => status === "IN_PROGRESS"),
  };
};
