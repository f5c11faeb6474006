import { createHash, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { jsonService } from "../endpoint/wire.ts";
import { AwsError, type AwsService } from "../http.ts";
import { openRecordStore } from "../record-store.ts";
import { type ArtifactTarget, type BuildRecord, buildArn, logsOf, submit } from "./build.ts";
import type { BusEvent } from "./build-events.ts";
import type { LogLine } from "./build-log.ts";
import { removeHalves } from "./cache.ts";
import { endProcesses } from "./processes.ts";
import { openQueue } from "./queue.ts";
import * as input from "./requests.ts";
import { invalid, operation, projectArn } from "./requests.ts";
import { openWorkFolders, workRoots } from "./work-folders.ts";

export type LocalCodeBuild = {
  readonly handle: AwsService;
  /** Ends the processes of running builds; at the next start these builds run again under their ids. */
  close(): Promise<void>;
  /** How many StartBuild calls really made a build. */
  counters(): { buildsStarted: number };
};

export type CodeBuildOptions = {
  /** Everything is kept under `<dataDir>/codebuild`; builds work elsewhere. */
  readonly dataDir: string;
  /** Where builds may work, best first; each is outside of the data folder. Default `workRoots` of this process. */
  readonly workRoots?: readonly string[];
  /** What sources are read and artifacts are written with. A build's own commands are not told of it. */
  readonly s3: S3Client;
  /** Puts an event on the default bus. A rejection is logged and forgotten, as CodeBuild's events are best effort. */
  emit(event: BusEvent): Promise<void>;
  appendLog(group: string, stream: string, lines: LogLine[]): void | Promise<void>;
  /** The string of a secret, for variables of type SECRETS_MANAGER. */
  secret(secretId: string): Promise<string>;
  /** Added to the environment of every build. Default none. */
  readonly environment?: Record<string, string>;
  /** Of the whole account; more builds wait in phase QUEUED. Default 2. */
  readonly maxConcurrentBuilds?: number;
  /**
   * That the account may have, queued or running: StartBuild of one more is refused. AWS lets usual accounts queue five times
   * what they may run; those with a quota of 1 or 0 are refused instead. Default as many as are asked for.
   */
  readonly accountBuilds?: number;
  /** How long a minute of a build's limits takes. Default 60,000 ms; only tests shorten it. */
  readonly minuteMs?: number;
};

const TOKEN_LIFE_MS = 5 * 60_000;
const PAGE = 100;

/** A CodeBuild that runs each build's buildspec in a child process of this machine. */
export async function startCodeBuild(options: CodeBuildOptions): Promise<LocalCodeBuild> {
  const folder = join(options.dataDir, "codebuild");
  const projects = openRecordStore<input.Project>(join(folder, "projects"), ["name"]);
  const builds = openRecordStore<BuildRecord>(join(folder, "builds"), ["build"]);
  const caches = join(folder, "caches");
  const workFolders = openWorkFolders(options.dataDir, options.workRoots ?? workRoots(process.env));
  for (const { build } of builds.all()) if (!build.buildComplete) await endProcesses(build.id, []);
  await Promise.all([workFolders.removeStale(), removeHalves(caches)]);
  // where builds worked, and a project's environments shared a cache, in earlier commits
  for (const name of ["work", "cache"]) await rm(join(folder, name), { recursive: true, force: true });
  const queue = openQueue({
    cacheFolder: caches,
    workFolders,
    builds,
    s3: options.s3,
    emit: options.emit,
    appendLog: options.appendLog,
    secret: options.secret,
    environment: options.environment ?? {},
    maxConcurrentBuilds: options.maxConcurrentBuilds ?? 2,
    minuteMs: options.minuteMs ?? 60_000,
  });
  let buildsStarted = 0;

  const projectOf = (name: string): input.Project => {
    const project = projects.get(name.slice(name.lastIndexOf("/") + 1)); // StartBuild also takes an ARN
    if (!project) throw new AwsError("ResourceNotFoundException", 400, `Project cannot be found: ${name}`);
    return project;
  };
  const findBuild = (idOrArn: string) => builds.get(idOrArn.slice(idOrArn.lastIndexOf("/") + 1));
  const ofProject = (name: string) => builds.all().filter(({ build }) => build.projectName === name);

  function startBuild(request: input.StartBuild) {
    const project = projectOf(request.projectName);
    const before = ofProject(project.name);
    const token = request.idempotencyToken && {
      value: request.idempotencyToken,
      request: createHash("sha256").update(JSON.stringify(request)).digest("hex"),
      at: Date.now(),
    };
    const repeated = token && before.find((one) => one.token?.value === token.value && token.at - one.token.at < TOKEN_LIFE_MS);
    if (repeated) {
      if (repeated.token?.request !== token.request)
        throw invalid("The idempotency token was used less than five minutes ago with other parameters");
      return { build: repeated.build };
    }
    const active = before.filter(({ build }) => !build.buildComplete).length;
    if (project.concurrentBuildLimit !== undefined && active >= project.concurrentBuildLimit)
      throw new AwsError(
        "AccountLimitExceededException",
        400,
        `Cannot have more than ${project.concurrentBuildLimit} active builds for the project`,
      );
    if (options.accountBuilds !== undefined && builds.all().filter(({ build }) => !build.buildComplete).length >= options.accountBuilds)
      throw new AwsError(
        "AccountLimitExceededException",
        400,
        `Cannot have more than ${options.accountBuilds} builds in queue for the account`,
      );

    const number = Math.max(0, ...before.map(({ build }) => build.buildNumber)) + 1;
    const record = compose(project, request, number);
    if (token) Object.assign(record, { token });
    submit(record.build);
    buildsStarted += 1;
    builds.put(record.build.id, record);
    const answer = structuredClone(record.build);
    queue.add(record);
    return { build: answer };
  }

  /** Ids in the order of their starts, a page at a time; the token is the last id given. */
  function page(records: BuildRecord[], { sortOrder, nextToken }: { sortOrder: string; nextToken?: string | undefined }) {
    const sign = sortOrder === "ASCENDING" ? 1 : -1;
    const byStart = (a: BuildRecord, b: BuildRecord) =>
      sign * (a.build.startTime - b.build.startTime || a.build.buildNumber - b.build.buildNumber || (a.build.id < b.build.id ? -1 : 1));
    const ids = records.sort(byStart).map(({ build }) => build.id);
    const from = nextToken === undefined ? 0 : ids.indexOf(nextToken) + 1;
    if (nextToken !== undefined && from === 0) throw invalid(`Invalid nextToken: ${nextToken}`);
    const some = ids.slice(from, from + PAGE);
    return { ...lists({ ids: some }), ...(from + PAGE < ids.length && { nextToken: some.at(-1) }) };
  }

  const operations = {
    CreateProject: operation(input.Project, (given) => {
      if (projects.get(given.name)) throw new AwsError("ResourceAlreadyExistsException", 400, `Project already exists: ${given.name}`);
      const now = Date.now() / 1000;
      const project = { ...given, arn: projectArn(given.name), created: now, lastModified: now };
      projects.put(project.name, project);
      return { project };
    }),
    UpdateProject: operation(input.ProjectChange, (given) => {
      const project = { ...projectOf(given.name), ...given, lastModified: Date.now() / 1000 } as input.Project;
      projects.put(project.name, project);
      return { project };
    }),
    BatchGetProjects: operation(input.Names, ({ names }) =>
      lists({
        projects: names.flatMap((name) => projects.get(name) ?? []),
        projectsNotFound: names.filter((name) => !projects.get(name)),
      }),
    ),
    StartBuild: operation(input.StartBuild, startBuild),
    StopBuild: operation(input.OneId, async ({ id }) => {
      const record = findBuild(id);
      if (!record) throw new AwsError("ResourceNotFoundException", 400, `Build cannot be found: ${id}`);
      if (!record.build.buildComplete) await queue.stop(record);
      return { build: record.build };
    }),
    BatchGetBuilds: operation(input.Ids, ({ ids }) =>
      lists({ builds: ids.flatMap((id) => findBuild(id)?.build ?? []), buildsNotFound: ids.filter((id) => !findBuild(id)) }),
    ),
    ListBuildsForProject: operation(input.Page, (given) => page(ofProject(projectOf(given.projectName).name), given)),
  };

  return {
    handle: jsonService("codebuild", operations),
    counters: () => ({ buildsStarted }),
    async close() {
      await queue.close();
      await workFolders.close();
    },
  };
}

/** Lists of an answer: those with nothing in them are left out. */
const lists = <T extends Readonly<Record<string, readonly unknown[]>>>(all: T): Partial<T> =>
  Object.fromEntries(Object.entries(all).filter(([, list]) => list.length > 0)) as Partial<T>;

/** The build that a request makes of its project, before any phase. */
function compose(project: input.Project, request: input.StartBuild, buildNumber: number): BuildRecord {
  const uuid = randomUUID();
  const id = `${project.name}:${uuid}`;
  const overridden = new Set(request.environmentVariablesOverride.map(({ name }) => name));
  const kept = project.environment.environmentVariables.filter(({ name }) => !overridden.has(name));
  const location = request.sourceLocationOverride ?? project.source.location;
  const type = request.sourceTypeOverride ?? project.source.type;
  const buildspec = request.buildspecOverride ?? project.source.buildspec;
  if (type === "S3" && !/^(arn:aws:s3:::)?[^/]+\/./.test(location ?? "")) throw invalid("source location must be bucket/key");
  if (type === "NO_SOURCE" && !buildspec) throw invalid("a build without a source needs a buildspec");
  const target = artifactTarget(request.artifactsOverride ?? project.artifacts, uuid);
  const cache = request.cacheOverride ?? project.cache;
  if (cache?.type === "S3" && !cache.location) throw invalid("a cache of type S3 needs a location (the bucket, or bucket/prefix)");
  return {
    build: {
      id,
      arn: buildArn(id),
      buildNumber,
      projectName: project.name,
      initiator: "local",
      startTime: Date.now() / 1000,
      currentPhase: "SUBMITTED",
      buildStatus: "IN_PROGRESS",
      buildComplete: false,
      phases: [],
      source: { type, ...(location && { location }), ...(buildspec && { buildspec }) },
      ...(request.sourceVersion && { sourceVersion: request.sourceVersion }),
      artifacts: { location: target ? `arn:aws:s3:::${target.bucket}/${target.key}` : "" },
      environment: { ...project.environment, environmentVariables: [...kept, ...request.environmentVariablesOverride] },
      exportedEnvironmentVariables: [],
      logs: logsOf(project.name, uuid),
      ...(project.serviceRole && { serviceRole: project.serviceRole }),
      timeoutInMinutes: request.timeoutInMinutesOverride ?? project.timeoutInMinutes,
      queuedTimeoutInMinutes: request.queuedTimeoutInMinutesOverride ?? project.queuedTimeoutInMinutes,
    },
    ...(target && { artifactTarget: target }),
    ...(cache?.type === "S3" && { cacheLocation: cache.location }),
    stopRequested: false,
  };
}

function artifactTarget({ type, location, path, name, namespaceType }: input.Artifacts, uuid: string): ArtifactTarget | undefined {
  if (type === "NO_ARTIFACTS") return undefined;
  if (!location || !name) throw invalid("artifacts of type S3 need a location (the bucket) and a name");
  const parts = [path, namespaceType === "BUILD_ID" ? uuid : undefined, name].map((part) => part?.replace(/^\/+|\/+$/g, ""));
  return { bucket: location.replace(/^arn:aws:s3:::/, ""), key: parts.filter(Boolean).join("/") };
}
