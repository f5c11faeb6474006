import {
  BatchGetBuildsCommand,
  type Build,
  type CodeBuildClient,
  ListBuildsForProjectCommand,
  StartBuildCommand,
  StopBuildCommand,
} from "@aws-sdk/client-codebuild";
import type { Source } from "../../domain/deployment/shapes.ts";
import { isLimit } from "./errors.ts";

/** What a build has come to, as CodeBuild itself says it when asked. */
export type BuildReport = {
  readonly id: string;
  readonly arn: string;
  readonly status: string;
  /** the deployment that it was started for; null where it was started by somebody else */
  readonly deploymentId: string | null;
  readonly artifact: { bucket: string; key: string; sha256?: string } | null;
  readonly exported: Readonly<Record<string, string>>;
  readonly logs: { group: string; stream: string } | null;
  /** the phase that failed and what it says */
  readonly failure: { phase: string; message: string } | null;
};

/** CodeBuild has no room for another build at this moment. */
export class NoBuildCapacity extends Error {
  override readonly name = "NoBuildCapacity";
}
/** CodeBuild lets this account have no build at all, as it does with some new ones: waiting helps nobody. */
export class NoBuildQuota extends Error {
  override readonly name = "NoBuildQuota";
}
const NO_QUOTA = /more than 0 (?:active )?builds/;

export type StartBuild = {
  readonly project: string;
  readonly deploymentId: string;
  readonly site: string;
  readonly environment: string;
  readonly source: Source;
  readonly sourcesBucket: string;
  readonly artifactsBucket: string;
  /** keys in it, without a slash at their end: what this environment's builds leave, and what they keep for the next */
  readonly folders: { readonly builds: string; readonly cache: string };
  /** name of the secret that holds the values, and the names to hand to the build */
  readonly secret: string;
  readonly secretNames: readonly string[];
  readonly timeoutMinutes: number;
};

export type Builds = ReturnType<typeof codeBuilds>;

const DEPLOYMENT = "SHIPLOG_DEPLOYMENT";
const BATCH = 100;

export const codeBuilds = (client: CodeBuildClient) => {
  /** Starts the build of a deployment; asked again within five minutes, it answers the same build. Throws `NoBuildCapacity`, `NoBuildQuota`. */
  const start = async (ask: StartBuild): Promise<BuildReport> => {
    const plain = {
      [DEPLOYMENT]: ask.deploymentId,
      SHIPLOG_SITE: ask.site,
      SHIPLOG_ENVIRONMENT: ask.environment,
      // one id for both, or revalidation by tag silently does nothing
      DEPLOYMENT_ID: ask.deploymentId,
      BUILD_ID: ask.deploymentId,
      // what Next.js itself reads, whatever the app's next.config says
      NEXT_DEPLOYMENT_ID: ask.deploymentId,
      ...(ask.source.app !== undefined && { SHIPLOG_APP: ask.source.app }),
    };
    try {
      const { build } = await client.send(
        new StartBuildCommand({
          projectName: ask.project,
          idempotencyToken: ask.deploymentId,
          sourceTypeOverride: "S3",
          sourceLocationOverride: `${ask.sourcesBucket}/${ask.source.key}`,
          timeoutInMinutesOverride: ask.timeoutMinutes,
          environmentVariablesOverride: [
            ...Object.entries(plain).map(([name, value]) => ({ name, value, type: "PLAINTEXT" as const })),
            ...[...new Set(ask.secretNames)].map((name) => ({ name, value: `${ask.secret}:${name}`, type: "SECRETS_MANAGER" as const })),
          ],
          cacheOverride: { type: "S3", location: `${ask.artifactsBucket}/${ask.folders.cache}` },
          artifactsOverride: {
            type: "S3",
            location: ask.artifactsBucket,
            path: `${ask.folders.builds}/${ask.deploymentId}`,
            name: "output.zip",
            packaging: "ZIP",
            namespaceType: "NONE",
          },
        }),
      );
      if (build === undefined) throw new Error(`CodeBuild answered without a build when the build of ${ask.deploymentId} was started`);
      return reportOf(build);
    } catch (error) {
      if (isLimit(error)) throw new (NO_QUOTA.test(error.message) ? NoBuildQuota : NoBuildCapacity)(error.message, { cause: error });
      throw error;
    }
  };

  /** Asks a build to stop; a build that has ended already is left as it is. */
  const stop = async (id: string): Promise<void> => {
    await client.send(new StopBuildCommand({ id }));
  };

  /** The builds that exist of these; unknown ids are left out. */
  const get = async (ids: readonly string[]): Promise<BuildReport[]> => {
    const found: BuildReport[] = [];
    for (let from = 0; from < ids.length; from += BATCH) {
      const { builds = [] } = await client.send(new BatchGetBuildsCommand({ ids: ids.slice(from, from + BATCH) }));
      found.push(...builds.map(reportOf));
    }
    return found;
  };

  /** The newest builds of a project, newest first, at most a hundred. */
  const recent = async (project: string): Promise<BuildReport[]> => {
    const { ids = [] } = await client.send(new ListBuildsForProjectCommand({ projectName: project, sortOrder: "DESCENDING" }));
    return ids.length === 0 ? [] : get(ids.slice(0, BATCH));
  };

  return { start, stop, get, recent };
};

const reportOf = (build: Build): BuildReport => {
  const failed = build.phases?.find((phase) => phase.phaseStatus !== undefined && phase.phaseStatus !== "SUCCEEDED");
  const context = failed?.contexts
    ?.map((entry) => [entry.statusCode, entry.message].filter(Boolean).join(": "))
    .filter(Boolean)
    .join("; ");
  return {
    id: build.id ?? "",
    arn: build.arn ?? "",
    status: build.buildStatus ?? "",
    deploymentId: build.environment?.environmentVariables?.find(({ name }) => name === DEPLOYMENT)?.value ?? null,
    artifact: artifactOf(build.artifacts?.location, build.artifacts?.sha256sum),
    exported: Object.fromEntries((build.exportedEnvironmentVariables ?? []).map(({ name, value }) => [name ?? "", value ?? ""])),
    logs: build.logs?.groupName && build.logs.streamName ? { group: build.logs.groupName, stream: build.logs.streamName } : null,
    failure: failed === undefined ? null : { phase: failed.phaseType ?? "", message: context ?? "" },
  };
};

/** `arn:aws:s3:::bucket/key` or `bucket/key` */
const artifactOf = (location: string | undefined, sha256: string | undefined): BuildReport["artifact"] => {
  const [, bucket, key] = /^(?:arn:[^:]*:s3:::)?([^/]+)\/(.+)$/.exec(location ?? "") ?? [];
  return bucket === undefined || key === undefined ? null : { bucket, key, ...(sha256 && { sha256 }) };
};
