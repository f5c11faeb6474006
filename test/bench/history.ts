import { BatchWriteItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { eventsOf, itemCodec, sha256 } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { type Aggregates, aggregates } from "../../engine/log/execute.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { environmentHistory } from "./histories.ts";
import { median } from "./measure.ts";
import type { Line } from "./report.ts";
import { withStore } from "./room.ts";

/** Finished deployments of one environment; each leaves seven commits. */
const DEPLOYMENTS = [10, 100, 1_000, 10_000];
const COMMITS = 7;
const BATCH = 25;
const LOADS = 10;
const STREAM = environmentStream("web", "production");
const NEWEST = 9_999_999_999;

type Cost = { readonly ms: number; readonly units: number; readonly requests: number };

/**
 * What a load and a decision cost after ten deployments and after ten thousand: read units and requests are counted, so that they
 * say the same on each machine. *Whole* is what each command did before there were snapshots.
 */
export const history = (): Promise<readonly Line[]> =>
  withStore(async ({ clients, table }) => {
    const { dynamodb } = clients;
    const counted = counting(dynamodb);
    const store = eventStore(dynamodb, table);
    const process = (): Aggregates =>
      aggregates({
        store,
        snapshots: snapshotTable(dynamodb, SNAPSHOTS_TABLE),
        every: 32,
        memoryOf: () => lastUsed(64),
        clock: systemClock,
        log: (line) => console.error(JSON.stringify(line)),
      });
    const snapshots = snapshotTable(dynamodb, SNAPSHOTS_TABLE);
    const events = environmentHistory((DEPLOYMENTS.at(-1) ?? 0) * COMMITS);
    const lines: Line[] = [];
    const costs: Record<string, Cost>[] = [];
    for (const [n, deployments] of DEPLOYMENTS.entries()) {
      const [last] = await store.readBack(STREAM, NEWEST, 1);
      await writeCommits(dynamodb, table, last, events.slice((DEPLOYMENTS[n - 1] ?? 0) * COMMITS, deployments * COMMITS));
      const engine = process();
      // as if it had had snapshots from its beginning: every cause has its row
      while (((await snapshots.newest(STREAM, environment.shape))?.version ?? 0) < deployments * COMMITS)
        await decide(engine, `${deployments}/${Math.random()}`);
      const cost = {
        whole: await counted(3, async () => {
          fold(environment, (await store.load(STREAM)).commits.flatMap(eventsOf).map(readEnvironmentEvent));
        }),
        cold: await counted(LOADS, () => process().environment.load("web", "production")),
        warm: await counted(LOADS, () => engine.environment.load("web", "production")),
        decision: await counted(LOADS, (time) => decide(engine, `${deployments}/decision/${time}`)),
      };
      costs.push(cost);
      for (const [what, { ms, units, requests }] of Object.entries(cost))
        lines.push({
          bench: "history",
          what: `${NAMES[what]}, ${deployments.toLocaleString("en")} deployments`,
          value: ms,
          unit: "ms",
          note: `${units.toLocaleString("en")} read units, ${requests} requests`,
        });
    }
    for (const what of ["cold", "warm", "decision"])
      lines.push({
        bench: "history",
        what: `read units of ${NAMES[what]}, 10,000 ÷ 100 deployments`,
        value: (costs.at(-1)?.[what]?.units ?? 0) / (costs[1]?.[what]?.units ?? 1),
        unit: "×",
        target: { is: "at most", value: 1.1 },
      });
    return lines;
  });

const NAMES: Readonly<Record<string, string>> = {
  whole: "a stream read and folded whole",
  cold: "a load by a process that has just begun",
  warm: "a load by one that saw the stream before",
  decision: "a decision by one that saw it before",
};

/** The least that a command may do: its event changes nothing. */
const decide = async (engine: Aggregates, cause: string): Promise<void> => {
  const command = { type: "RecordVariablesRead", names: ["BENCH"] } as const;
  await engine.environment.execute("web", "production", command, { cause, correlation: cause, actor: "bench" });
};

/** Writes each event as a commit of its own behind the stream's last one, as quickly as the table takes them. */
const writeCommits = async (
  client: DynamoDBClient,
  table: string,
  last: Commit | undefined,
  events: readonly AnyEvent[],
): Promise<void> => {
  const itemOf = itemCodec(table);
  let { version, position, hash: prev } = last ?? { version: 0, position: "0", hash: "" };
  const items = events.map(({ type, v, body }) => {
    version += 1;
    position = String(Math.max(Number(position) + 1, BEGINNING)).padStart(15, "0");
    const cause = `history/${version}`;
    const fields = {
      id: commitId(sha256, STREAM, cause),
      body: JSON.stringify([{ type, v, body }]),
      cause,
      correlation: "bench",
      actor: "bench",
    };
    const commit = { stream: STREAM, version, ...fields, origin: "", at: new Date(Number(position)).toISOString(), position, prev };
    prev = commitHash(sha256, commit);
    return itemOf({ ...commit, hash: prev });
  });
  for (let at = 0; at < items.length; at += BATCH) {
    const RequestItems = { [table]: items.slice(at, at + BATCH).map((Item) => ({ PutRequest: { Item } })) };
    await client.send(new BatchWriteItemCommand({ RequestItems }));
  }
};
const BEGINNING = Date.UTC(2026, 0, 1);

type Units = { readonly CapacityUnits?: number };
const WRITES = new Set(["PutItemCommand", "BatchWriteItemCommand"]);

/** Counts what the client asks: the median time of one, its read units and requests. */
const counting = (client: DynamoDBClient) => {
  let units = 0;
  let requests = 0;
  client.middlewareStack.add(
    (next, context) => async (args) => {
      (args.input as { ReturnConsumedCapacity?: string }).ReturnConsumedCapacity = "TOTAL";
      const result = await next(args);
      const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Units | Units[] };
      requests += 1;
      if (!WRITES.has(String(context.commandName))) for (const one of [ConsumedCapacity ?? []].flat()) units += one.CapacityUnits ?? 0;
      return result;
    },
    { step: "initialize", name: "counting" },
  );
  return async (times: number, act: (n: number) => Promise<unknown>): Promise<Cost> => {
    const before = [units, requests] as const;
    const taken: number[] = [];
    for (let n = 0; n < times; n++) {
      const began = performance.now();
      await act(n);
      taken.push(performance.now() - began);
    }
    return { ms: median(taken), units: (units - before[0]) / times, requests: Math.round((requests - before[1]) / times) };
  };
};
