import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { aggregates as aggregatesOf } from "../../engine/log/execute.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { startTable, TABLE } from "./dynamodb.ts";
import { backIn } from "./read-back.ts";
import { artifact, assets, at, check, deploymentId, functions, release, request } from "./samples.ts";

/** An event store with its aggregates, for the tests of one verb. Pasts are made by asking, as the engine makes them. */
export const startVerbRoom = async () => {
  const table = await startTable();
  const store = eventStore(table.client, TABLE);
  const clock: Clock = { now: () => Date.parse(at()), sleep: async () => undefined, random: () => 0.5 };
  const snapshots = snapshotTable(table.client, SNAPSHOTS_TABLE);
  const aggregates = aggregatesOf({ store, snapshots, every: 32, memoryOf: () => lastUsed(10), clock, log: console.log });
  let asked = 0;
  const because = () => ({ cause: `test/${++asked}`, correlation: "test", actor: "ada" });
  const commits = (stream: string): Promise<readonly Commit[]> => store.read(stream, 0);
  const events = async (stream: string): Promise<Recorded[]> => (await commits(stream)).flatMap(eventsOf);
  const must = ({ refusal }: { refusal?: { because: string } }): void => {
    if (refusal !== undefined) throw new Error(`the test's past is refused: ${refusal.because}`);
  };

  return {
    store,
    clock,
    aggregates,
    commits,
    events: async (stream: string, after = 0) => (await events(stream)).filter(({ version }) => version > after),
    back: backIn(events),
    deployment: async (n: number, ...commands: readonly DeploymentCommand[]): Promise<void> => {
      for (const command of commands) must(await aggregates.deployment.execute(deploymentId(n), command, because()));
    },
    environment: async (site: string, ...commands: readonly EnvironmentCommand[]): Promise<void> => {
      for (const command of commands) must(await aggregates.environment.execute(site, "production", command, because()));
    },
    /** The types of a stream's events, in order. */
    typesOf: async (stream: string): Promise<string[]> => (await events(stream)).map(({ type }) => type),
    /** The newest event of a type, as a message brings it. */
    newest: async <E extends Recorded>(stream: string, type: string): Promise<E> => {
      const found = (await events(stream)).findLast((event) => event.type === type);
      if (found === undefined) throw new Error(`${stream} has no ${type}`);
      return found as E;
    },
    close: table.close,
  };
};
export type VerbRoom = Awaited<ReturnType<typeof startVerbRoom>>;

/** What is asked of the n-th deployment of a test, step by step. */
export const steps = (n: number, site = "web") => {
  const by = { actor: "ada", at: at() };
  const buildId = `shiplog-${site}:${n}`;
  return {
    stream: deploymentStream(deploymentId(n)),
    place: environmentStream(site, "production"),
    buildId,
    admit: { type: "AdmitDeployment", request: request(n, { site }), ...by } satisfies EnvironmentCommand,
    flip: (sequence: number): Extract<EnvironmentCommand, { type: "RequestFlip" }> => ({
      type: "RequestFlip",
      deploymentId: deploymentId(n),
      sequence,
      release: release(n),
      ...by,
    }),
    queue: (sequence: number): DeploymentCommand => ({ type: "QueueDeployment", sequence, request: request(n, { site }) }),
    began: { type: "RecordBuildStarted", buildId } satisfies DeploymentCommand,
    built: { type: "RecordBuildSucceeded", buildId, artifact: artifact(n) } satisfies DeploymentCommand,
    cancel: { type: "RequestCancel" } satisfies DeploymentCommand,
    /** from built to ready to go live */
    published: [
      { type: "StartRelease", releaseId: deploymentId(n) },
      { type: "RecordAssets", ...assets },
      { type: "RecordVersions", functions: functions(n) },
      { type: "RecordChecksPassed", release: release(n), checks: [check(n)] },
    ] satisfies DeploymentCommand[],
  };
};
