import { createRequire } from "node:module";
import { join } from "node:path";
import { CreateTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { deployment as decider } from "../../domain/deployment/decider.ts";
import { readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { each } from "../../engine/kit/each.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { SHARDS } from "../../engine/log/entity.ts";
import type { Decision, EventStore } from "../../engine/log/event-store.ts";
import { aggregates, SNAPSHOT_EVERY } from "../../engine/log/execute.ts";
import { END } from "../../engine/log/log.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { deploymentId } from "../support/samples.ts";
import { deploymentHistory, environmentHistory } from "./histories.ts";
import { type Ratios, sideBySide, stopwatch } from "./measure.ts";
import { type Line, ratioLine } from "./report.ts";
import { withStore } from "./room.ts";

const PACKAGES = "@castore/core @castore/event-storage-adapter-dynamodb @aws-sdk/client-dynamodb";
const TABLE = "castore";
const ROUNDS = 20;
const APPENDS = 32;
const LENGTH = 100;
const STREAMS = 100;

/** As much of `@castore/core` as is used. An aggregate is what its reducer makes of the events. */
type Castore = {
  pushEvent(event: { aggregateId: string; version: number; type: string; payload: unknown; timestamp?: string }): Promise<unknown>;
  getAggregate(id: string): Promise<{ aggregate: unknown; events: readonly unknown[] }>;
  listAggregateIds(options: object): Promise<{ aggregateIds: readonly { aggregateId: string }[]; nextPageToken?: string }>;
};
type Reducer = (aggregate: unknown, event: { version: number; type: string; payload: unknown; aggregateId: string }) => unknown;

/**
 * Our event store beside Castore's DynamoDB adapter, a peer that is alive, on the same endpoint through the same client and with the same events.
 * It is no dependency of ours: `BENCH_PEERS` names a folder in which somebody has installed it.
 */
export const peers = async (tell: (line: string) => void): Promise<readonly Line[]> => {
  const folder = process.env.BENCH_PEERS;
  if (folder === undefined) {
    tell(`skipped: install ${PACKAGES} in some folder, and name that in BENCH_PEERS`);
    return [];
  }
  return withStore(async ({ store, clients, table }) => {
    const castore = await openCastore(folder, clients.dynamodb);
    return [
      // while nothing else is in the log, all of which ours reads
      line(`every one of ${STREAMS} streams read and folded`, await rebuilds(store, castore, clients.dynamodb, table)),
      line("append, one at a time", await appends(store, castore)),
      ...(await loads(store, castore, clients.dynamodb)),
    ];
  });
};

const line = (what: string, { ratios, ours, theirs }: Ratios): Line =>
  ratioLine(
    {
      bench: "peers",
      what: `${what}: Castore's time ÷ ours`,
      note: `${Math.min(...ours).toFixed(0)} ms ours at best, ${Math.min(...theirs).toFixed(0)} theirs`,
    },
    ratios,
  );

const openCastore = async (folder: string, client: DynamoDBClient): Promise<(reducer: Reducer) => Castore> => {
  const load = createRequire(join(folder, "peers.js"));
  const { EventStore } = load("@castore/core");
  const { DynamoDBSingleTableEventStorageAdapter } = load("@castore/event-storage-adapter-dynamodb");
  const key = (AttributeName: string, KeyType: "HASH" | "RANGE") => ({ AttributeName, KeyType });
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "aggregateId", AttributeType: "S" },
        { AttributeName: "version", AttributeType: "N" },
        { AttributeName: "eventStoreId", AttributeType: "S" },
        { AttributeName: "timestamp", AttributeType: "S" },
      ],
      KeySchema: [key("aggregateId", "HASH"), key("version", "RANGE")],
      GlobalSecondaryIndexes: [
        {
          IndexName: "initialEvents",
          KeySchema: [key("eventStoreId", "HASH"), key("timestamp", "RANGE")],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
    }),
  );
  let stores = 0;
  return (reducer) =>
    new EventStore({
      eventStoreId: `STORE${++stores}`,
      eventTypes: [],
      reducer,
      eventStorageAdapter: new DynamoDBSingleTableEventStorageAdapter({ tableName: TABLE, dynamoDBClient: client }),
    }) as Castore;
};

const decision = (event: AnyEvent): Decision => ({
  events: [event],
  cause: crypto.randomUUID(),
  correlation: "bench",
  actor: "bench",
  now: Date.now(),
});
/** Folds what Castore hands to a reducer by our own code. */
const reducing =
  <S, E>(decide: { initial(): S; evolve(state: S, event: E): S }, read: (event: AnyEvent) => E): Reducer =>
  (aggregate, { type, payload }) =>
    decide.evolve((aggregate as S | undefined) ?? decide.initial(), read({ type, ...(payload as { v: number; body: object }) }));

/** Behind the head that the last append has left. */
const appends = async (store: EventStore, open: (reducer: Reducer) => Castore): Promise<Ratios> => {
  const event = deploymentHistory(1).find(({ type }) => type === "VersionsPublished") as AnyEvent;
  const castore = open(() => ({}));
  let streams = 0;
  const ours = async (): Promise<number> => {
    const stream = deploymentStream(deploymentId(10_000 + ++streams));
    return stopwatch(async () => {
      let { head } = await store.load(stream);
      for (let n = 0; n < APPENDS; n++) head = store.headAfter(await store.write(head, decision(event)));
    });
  };
  const theirs = async (): Promise<number> => {
    const aggregateId = `a${++streams}`;
    return stopwatch(async () => {
      await castore.getAggregate(aggregateId);
      for (let version = 1; version <= APPENDS; version++)
        await castore.pushEvent({ aggregateId, version, type: event.type, payload: { v: event.v, body: event.body } });
    });
  };
  return sideBySide({ ours, theirs }, { rounds: ROUNDS, warmUp: 5 });
};

const loads = async (store: EventStore, open: (reducer: Reducer) => Castore, client: DynamoDBClient): Promise<Line[]> => {
  const castore = open(reducing(environment, readEnvironmentEvent as never));
  const stream = environmentStream("peers", "production");
  let { head } = await store.load(stream);
  for (const [index, event] of environmentHistory(LENGTH).entries()) {
    head = store.headAfter(await store.write(head, decision(event)));
    await castore.pushEvent({ aggregateId: "long", version: index + 1, type: event.type, payload: { v: event.v, body: event.body } });
  }
  const ours = () =>
    stopwatch(async () => {
      fold(environment, (await store.load(stream)).commits.flatMap(eventsOf).map(readEnvironmentEvent));
    });
  const theirs = () => stopwatch(() => castore.getAggregate("long"));
  const engine = aggregates({
    store,
    snapshots: snapshotTable(client, SNAPSHOTS_TABLE),
    every: SNAPSHOT_EVERY,
    memoryOf: () => lastUsed(1),
    clock: systemClock,
    log: () => undefined,
  });
  const again = () => stopwatch(() => engine.environment.load("peers", "production"));
  const turns = { rounds: ROUNDS, warmUp: 5 };
  return [
    line(`load and fold of ${LENGTH} events`, await sideBySide({ ours, theirs }, turns)),
    line(`the same by a process that saw them before`, await sideBySide({ ours: again, theirs }, turns)),
  ];
};

/** Ours reads the log by its shards, as a rebuild from the table does; Castore lists aggregates and reads each. */
const rebuilds = async (store: EventStore, open: (reducer: Reducer) => Castore, client: DynamoDBClient, table: string): Promise<Ratios> => {
  const castore = open(reducing(decider, readDeploymentEvent as never));
  await each(
    Array.from({ length: STREAMS }, (_, n) => n + 1),
    8,
    async (n) => {
      const stream = deploymentStream(deploymentId(n));
      let { head } = await store.load(stream);
      for (const [index, event] of deploymentHistory(n).entries()) {
        head = store.headAfter(await store.write(head, decision(event)));
        await castore.pushEvent({ aggregateId: `d${n}`, version: index + 1, type: event.type, payload: { v: event.v, body: event.body } });
      }
    },
  );
  const shards = logShards(client, table);
  const known = new Set(Array.from({ length: STREAMS }, (_, n) => deploymentStream(deploymentId(n + 1))));
  const ours = () =>
    stopwatch(async () => {
      const states = new Map<string, ReturnType<typeof decider.initial>>();
      await each([...Array(SHARDS).keys()], SHARDS, async (shard) => {
        for await (const page of shards.read(shard, positionAt(0), END))
          for (const commit of page)
            if (known.has(commit.stream))
              for (const event of eventsOf(commit))
                states.set(commit.stream, decider.evolve(states.get(commit.stream) ?? decider.initial(), readDeploymentEvent(event)));
      });
      if (states.size !== STREAMS) throw new Error(`${states.size} of ${STREAMS} streams were folded`);
    });
  const theirs = () =>
    stopwatch(async () => {
      const ids: string[] = [];
      for (let pageToken: string | undefined; ; ) {
        const page = await castore.listAggregateIds(pageToken === undefined ? {} : { pageToken });
        ids.push(...page.aggregateIds.map(({ aggregateId }) => aggregateId));
        if (page.nextPageToken === undefined) break;
        pageToken = page.nextPageToken;
      }
      if (ids.length !== STREAMS) throw new Error(`${ids.length} of ${STREAMS} aggregates are listed`);
      await each(ids, SHARDS, async (id) => void (await castore.getAggregate(id)));
    });
  return sideBySide({ ours, theirs }, { rounds: ROUNDS, warmUp: 3 });
};
