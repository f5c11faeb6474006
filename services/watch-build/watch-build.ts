import * as z from "zod";
import { findBuildError } from "../../domain/build-error/find-build-error.ts";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { DeploymentId } from "../../domain/kernel/identity.ts";
import { firstOf } from "../../domain/kernel/text.ts";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { Unprocessable } from "../../engine/kit/consumer.ts";
import type { Aggregates } from "../../engine/log/execute.ts";

/** The part of CodeBuild's "Build State Change" that is looked at. Variables' values in it are dropped at this door. */
export const BuildStateChange = z.object({
  source: z.literal("aws.codebuild"),
  "detail-type": z.literal("CodeBuild Build State Change"),
  detail: z.object({
    "build-id": z.string().regex(/^arn:[^:]+:codebuild:[^:]+:\d{12}:build\/[^:]+:[\w-]+$/, "is not the ARN of a build"),
    "build-status": z.enum(
      ["IN_PROGRESS", "SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED"],
      "is a status that CodeBuild does not document",
    ),
    "project-name": z.string(),
  }),
});
export type BuildStateChange = z.infer<typeof BuildStateChange>;

export type Ports = {
  readonly aggregates: Pick<Aggregates, "deployment">;
  readonly builds: { get(ids: readonly string[]): Promise<BuildReport[]> };
  /** the end of a build's log; nothing where there is none */
  logEnd(logs: string): Promise<readonly string[]>;
  /** the only projects whose builds may speak for an environment's deployments */
  projectsOf(site: string, environment: string): readonly string[];
};

/** Records what a build has come to. The event is only a nudge: CodeBuild itself is asked, so a forged one changes nothing. */
export const watchBuild =
  ({ aggregates, builds, logEnd, projectsOf }: Ports) =>
  async ({ detail }: BuildStateChange): Promise<void> => {
    const arn = detail["build-id"];
    const [build] = await builds.get([arn.slice(arn.indexOf(":build/") + ":build/".length)]);
    if (build === undefined) throw new Unprocessable(`CodeBuild knows no build ${arn}: the event is forged, or the build was deleted`);
    const deploymentId = DeploymentId.safeParse(build.deploymentId).data;
    if (deploymentId === undefined) throw new Unprocessable(`build ${build.id} was not started by Shiplog: it names no deployment`);

    const { state } = await aggregates.deployment.load(deploymentId);
    if (state.request === null) throw new Unprocessable(`build ${build.id} names deployment ${deploymentId}, which was never requested`);
    const projects = projectsOf(state.request.site, state.request.environment);
    if (!projects.some((project) => build.id.startsWith(`${project}:`)))
      throw new Unprocessable(`build ${build.id} names deployment ${deploymentId}, whose builds are those of the project ${projects[0]}`);

    await aggregates.deployment.execute(deploymentId, commandFor(build, await errorOf(build, logEnd)), {
      // an event made from a poll collides with the real one
      cause: `${build.arn}/${build.status}`,
      correlation: deploymentId,
      actor: "shiplog watch-build",
    });
  };

/** What a build may say of itself in an event; anything else that it exports could be a secret. */
const RECORDED_EXPORTS = ["NEXT_VERSION", "OPEN_NEXT_VERSION"];

/** What the build itself printed as its error, in a line; a build that is not over yet, or ended well, is not asked for one. */
async function errorOf({ status, logs }: BuildReport, logEnd: Ports["logEnd"]): Promise<string | undefined> {
  if (status !== "FAILED" || logs === null) return undefined;
  return findBuildError(await logEnd(`${logs.group}:${logs.stream}`))?.summary;
}

const commandFor = ({ id: buildId, status, artifact, exported, failure, logs }: BuildReport, error?: string): DeploymentCommand => {
  switch (status) {
    case "IN_PROGRESS":
      return { type: "RecordBuildStarted", buildId, ...(logs && { logs: `${logs.group}:${logs.stream}` }) };
    case "SUCCEEDED": {
      const recorded = Object.fromEntries(Object.entries(exported).filter(([name]) => RECORDED_EXPORTS.includes(name)));
      if (artifact !== null) return { type: "RecordBuildSucceeded", buildId, artifact, exported: recorded };
      return { type: "RecordBuildFailed", buildId, status, reason: NO_ARTIFACT };
    }
    case "STOPPED":
      return { type: "RecordBuildStopped", buildId, reason: "its build was stopped" };
    case "FAILED":
    case "FAULT":
    case "TIMED_OUT": {
      const what = `the build failed${failure ? ` in ${failure.phase}` : ""}`;
      const told = error ?? (failure?.message ? `${what}: ${failure.message}` : what);
      const reason = status === "TIMED_OUT" ? TOO_LONG : firstOf(told, 2_000);
      return { type: "RecordBuildFailed", buildId, status, ...(failure && { phase: failure.phase }), reason };
    }
    default:
      throw new Unprocessable(`build ${buildId} has the status ${status}, which CodeBuild does not document`);
  }
};

const TOO_LONG =
  "the build took longer than its time limit: look where it hung with shiplog logs, or raise buildTimeoutMinutes in the sites file";
const NO_ARTIFACT = 'the build left no artifact: its buildspec needs an "artifacts" section with base-directory .open-next';
