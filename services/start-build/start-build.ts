import { ACTIONS_KEY } from "../../blueprint/site-resources.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { Fingerprints } from "../../domain/deployment/shapes.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import { type BuildReport, NoBuildCapacity, NoBuildQuota } from "../../engine/aws/builds.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import { SecretDamaged } from "../../engine/aws/secrets.ts";
import { type Aggregates, following } from "../../engine/log/execute.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "deployment">;
  readonly builds: {
    /** the project of the site and everything else of the call are the wiring's */
    start(deployment: {
      deploymentId: string;
      site: string;
      environment: string;
      source: { key: string; sha256: string; bytes: number };
    }): Promise<BuildReport>;
    stop(id: string): Promise<void>;
    /** the build that was started for this deployment, if there is one */
    find(site: string, environment: string, deploymentId: string): Promise<BuildReport | undefined>;
  };
  /**
   * variables that a build is given and that have no value yet (none are missing: empty), and what the others are
   * @throws SecretDamaged
   */
  valuesOf(site: string, environment: string): Promise<{ missing: readonly string[]; variables?: Fingerprints | undefined }>;
  /** brings the event again after that time; of a deployment one waits, however often it is asked for */
  comeAgain(event: Recorded<Subscribed<"start-build">>, seconds: number): Promise<void>;
};

const ACTOR = "shiplog start-build";
/** Builds take minutes: asking more often for room only costs calls. Less than the minute of the timer that brings it back. */
const CAPACITY_SECONDS = 45;

/** Starts the build of a queued deployment. */
export const startBuild =
  ({ aggregates, builds, valuesOf, comeAgain }: Ports) =>
  async (event: Recorded<Subscribed<"start-build">>): Promise<void> => {
    const deploymentId = deploymentOf(event.stream);
    const because = (suffix = "") => following(event, ACTOR, suffix);
    const { state } = await aggregates.deployment.load(deploymentId);
    if (!state.request) return;
    const { site, environment, source } = state.request;
    if (state.status === "cancelling" && state.buildId === null) return settleCancel();
    if (state.status !== "queued" || !source) return;

    const { missing, variables } = await valuesFor({ site, environment }, valuesOf);
    if (missing !== undefined) return fail(missing);
    const build = await started({ deploymentId, site, environment, source });
    if (build === undefined) return;
    const { refusal } = await aggregates.deployment.execute(
      deploymentId,
      {
        type: "RecordBuildStarted",
        buildId: build.id,
        ...(build.logs && { logs: `${build.logs.group}:${build.logs.stream}` }),
        ...(variables && { variables }),
      },
      because(),
    );
    // it ended between the look and the start: nobody waits for this build
    if (refusal !== undefined) await builds.stop(build.id);

    async function started(ask: Parameters<Ports["builds"]["start"]>[0]): Promise<BuildReport | undefined> {
      try {
        return await builds.start(ask);
      } catch (error) {
        if (error instanceof NoBuildCapacity) return waitFor(error);
        if (!isFinal(error)) throw error;
        await fail(`CodeBuild refused to start the build: ${error.message}${error instanceof NoBuildQuota ? ASK_FOR_QUOTA : ""}`);
        return undefined;
      }
    }

    async function fail(reason: string): Promise<void> {
      await aggregates.deployment.execute(deploymentId, { type: "RecordBuildFailed", buildId: null, status: "FAULT", reason }, because());
    }

    async function waitFor({ message }: NoBuildCapacity): Promise<undefined> {
      await comeAgain(event, CAPACITY_SECONDS);
      const reason = `waiting for CodeBuild: ${message}`;
      await aggregates.deployment.execute(deploymentId, { type: "RecordBuildDeferred", reason }, because(`/${reason}`));
    }

    /** An earlier delivery may have started a build and died before it was written down. */
    async function settleCancel(): Promise<void> {
      const found = await builds.find(site, environment, deploymentId);
      if (found !== undefined) {
        await aggregates.deployment.execute(deploymentId, { type: "RecordBuildStarted", buildId: found.id }, because());
      } else {
        const reason = "cancelled before its build began";
        await aggregates.deployment.execute(deploymentId, { type: "RecordBuildStopped", buildId: null, reason }, because("/none"));
      }
    }
  };

/** What CodeBuild will refuse again, however often it is asked. */
const isFinal = (error: unknown): error is Error =>
  error instanceof NoBuildQuota || ["missing", "refused"].includes(problemOf(error) ?? "");

type Values = { readonly missing?: string; readonly variables?: Fingerprints | undefined };

/**
 * What a build is given, or why it would not get the values that it needs: CodeBuild would fail it before its first command,
 * without a log, and name neither all of them nor what to do. What may pass by itself is thrown.
 */
const valuesFor = async ({ site, environment }: Place, valuesOf: Ports["valuesOf"]): Promise<Values> => {
  const place = `${site}/${environment}`;
  try {
    const { missing, variables } = await valuesOf(site, environment);
    return missing.length === 0 ? { variables } : { missing: sayMissing({ site, environment }, missing) };
  } catch (error) {
    if (error instanceof SecretDamaged) return { missing: `${error.message}, then retry` };
    if (isFinal(error))
      return { missing: `the values of ${place} cannot be read: ${error.message}. See docs/aws.md for its secret, then retry` };
    throw error;
  }
};

type Place = { readonly site: string; readonly environment: string };

const sayMissing = ({ site, environment }: Place, names: readonly string[]): string => {
  const of = `--site ${site} --env ${environment}`;
  const commands = names.map((name) =>
    name === ACTIONS_KEY ? `openssl rand -base64 32 | shiplog env set ${name} ${of}` : `shiplog env set ${name} ${of}`,
  );
  return `${names.join(", ")} ${names.length === 1 ? "has" : "have"} no value, which builds of ${site}/${environment} are given. Give one to each, then retry: ${commands.join("; ")}`;
};

const ASK_FOR_QUOTA =
  ". This account may run no build at all, as is so with some new accounts: ask AWS to raise the quota (Service Quotas, AWS CodeBuild, concurrently running builds of the project's compute type), then retry";
