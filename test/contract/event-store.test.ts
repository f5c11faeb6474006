import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { verifyChain } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { dayOf, itemCodec, sha256, shardOf } from "../../engine/log/codec.ts";
import { commitEntity } from "../../engine/log/entity.ts";
import { Conflict, type Decision, type EventStore, eventStore, MAX_BODY_BYTES } from "../../engine/log/event-store.ts";
import { aggregates } from "../../engine/log/execute.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { at, deploymentId, request } from "../support/samples.ts";

let table: Table;
let store: EventStore;
beforeAll(async () => {
  table = await startTable();
  store = eventStore(table.client, TABLE);
});
afterAll(() => table.close());

const NOON = Date.UTC(2026, 10, 23, 12);
/** Every test has a stream of its own, so that none sees another's. */
let streams = 0;
const newStream = (): string => `deployment/${deploymentId(++streams)}`;
const lit = (lamp: string) => ({ type: "LampLit", v: 1, body: { lamp } });
const decision = (cause: string, change: Partial<Decision> = {}): Decision => ({
  events: [lit(cause)],
  cause,
  correlation: "cmd_1",
  actor: "ada",
  now: NOON,
  ...change,
});
const write = async (stream: string, ...decisions: Decision[]) => {
  const written = [];
  for (const each of decisions) written.push(...(await store.append((await store.load(stream)).head, each)));
  return written;
};
const itemAt = async (stream: string, version: number) =>
  (
    await table.client.send(
      new GetItemCommand({ TableName: TABLE, Key: { pk: { S: stream }, sk: { S: version.toString().padStart(10, "0") } } }),
    )
  ).Item;

describe("what the store writes", () => {
  it("is what ElectroDB would write, byte for byte", async () => {
    const stream = newStream();
    await write(stream, decision("a"), decision("b", { origin: "token:ada 203.0.113.9", events: [lit("Wärme"), lit("b2")] }));
    const { commits } = await store.load(stream);
    expect(commits).toHaveLength(2);
    for (const commit of commits) {
      const put = commitEntity(TABLE)
        .put({ ...commit, day: dayOf(commit.position), shard: shardOf(commit.stream) })
        .params<{ Item: Record<string, unknown> }>();
      const stored = await itemAt(stream, commit.version);
      expect(unmarshall(stored ?? {})).toEqual(put.Item);
      expect(stored).toEqual(itemCodec(TABLE)(commit));
    }
  });
  it("has keys that a person can read", async () => {
    const stream = newStream();
    await write(stream, decision("a"));
    expect(await itemAt(stream, 1)).toMatchObject({
      pk: { S: stream },
      sk: { S: "0000000001" },
      gsi1pk: { S: `2026-11-23#${shardOf(stream)}` },
      gsi1sk: { S: `${positionAt(NOON)}#${stream}#0000000001` },
      __edb_e__: { S: "commit" },
    });
  });
  it("is read by ElectroDB as what was written", async () => {
    const stream = newStream();
    await write(stream, decision("a"));
    const { data } = await commitEntity(TABLE).query.stream({ stream }).go({ client: table.client });
    const [commit] = (await store.load(stream)).commits;
    expect(data).toEqual([{ ...commit, day: "2026-11-23", shard: shardOf(stream) }]);
  });
});

describe("a stream", () => {
  it("that nobody wrote is empty", async () => {
    expect(await store.load(newStream())).toMatchObject({ version: 0, commits: [] });
  });
  it("gives back what was appended, in order, linked into a chain", async () => {
    const stream = newStream();
    const written = await write(stream, decision("a", { events: [lit("a1"), lit("a2")] }), decision("b"), decision("c"));
    expect(written.map(({ version, index, body }) => [version, index, body])).toEqual([
      [1, 0, { lamp: "a1" }],
      [1, 1, { lamp: "a2" }],
      [2, 0, { lamp: "b" }],
      [3, 0, { lamp: "c" }],
    ]);
    const { version, commits } = await store.load(stream);
    expect(version).toBe(3);
    expect(commits.map(({ cause }) => cause)).toEqual(["a", "b", "c"]);
    expect(verifyChain(sha256, commits)).toBeUndefined();
  });
  it("is read on from a version", async () => {
    const stream = newStream();
    await write(stream, decision("a"), decision("b"), decision("c"));
    expect((await store.read(stream, 1)).map(({ version }) => version)).toEqual([2, 3]);
    expect(await store.read(stream, 3)).toEqual([]);
  });
  it("is not mixed up with one whose name it begins", async () => {
    const stream = newStream();
    await write(`${stream}/more`, decision("a"));
    expect((await store.load(stream)).version).toBe(0);
  });
  it("longer than one answer of DynamoDB is read whole", async () => {
    const stream = newStream();
    const large = "x".repeat(MAX_BODY_BYTES - 100);
    let loaded = await store.load(stream);
    for (let n = 1; n <= 40; n++) {
      await store.append(loaded.head, decision(`c${n}`, { events: [lit(large)] }));
      if (n < 40) loaded = await store.load(stream);
    }
    const { commits } = await store.load(stream);
    expect(commits.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });
});

describe("an append", () => {
  it("behind somebody else's is a conflict, and writes nothing", async () => {
    const stream = newStream();
    const { head } = await store.load(stream);
    await store.append(head, decision("mine"));
    await expect(store.append(head, decision("theirs"))).rejects.toThrow(Conflict);
    expect((await store.load(stream)).commits.map(({ cause }) => cause)).toEqual(["mine"]);
  });
  it("of the same cause is a success that writes nothing, and gives what was written first", async () => {
    const stream = newStream();
    const { head } = await store.load(stream);
    const first = await store.append(head, decision("a", { events: [lit("first")] }));
    const again = await store.append(head, decision("a", { events: [lit("second")], now: NOON + 5_000 }));
    expect(again).toEqual(first);
    expect((await store.load(stream)).version).toBe(1);
  });
  it("whose answer was lost finds its own write at the next try", async () => {
    const stream = newStream();
    const torn = table.connect();
    let puts = 0;
    // inside the SDK's own retries: the write is applied, and its answer never arrives
    torn.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        // beside the commit the name of its day is put
        const commit =
          context.commandName === "PutItemCommand" && Buffer.from((args.request as { body: Uint8Array }).body).includes(stream);
        if (!commit || ++puts > 1) return answer;
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError", code: "ECONNRESET" });
      },
      { step: "deserialize", priority: "low", name: "loseFirstAnswer" },
    );
    const tearing = eventStore(torn, TABLE);
    const events = await tearing.append((await tearing.load(stream)).head, decision("a"));
    expect(puts).toBe(2);
    expect(events).toMatchObject([{ version: 1, cause: "a" }]);
    expect((await store.load(stream)).version).toBe(1);
  });
  it("that fails otherwise is neither a conflict nor a success", async () => {
    const broken = eventStore(table.client, "no-such-table");
    const { head } = await store.load(newStream());
    await expect(broken.append(head, decision("a"))).rejects.toThrow(expect.objectContaining({ name: "ResourceNotFoundException" }));
  });
  it("above 32 KB is refused before anything is sent, and says what to do", async () => {
    const stream = newStream();
    const { head } = await store.load(stream);
    const room = MAX_BODY_BYTES - JSON.stringify([lit("")]).length;
    await expect(store.append(head, decision("a", { events: [lit("x".repeat(room + 1))] }))).rejects.toThrow(/object store.*digest/);
    // it is bytes that count, not characters
    await expect(store.append(head, decision("a", { events: [lit("ä".repeat(room / 2 + 1))] }))).rejects.toThrow(/32768/);
    await store.append(head, decision("a", { events: [lit("x".repeat(room))] }));
    expect((await store.load(stream)).version).toBe(1);
  });
  it("sorts behind its cause, though its machine's clock is slow", async () => {
    const causePosition = positionAt(NOON + 60_000);
    const [effect] = await write(newStream(), decision("a", { causePosition }));
    expect(effect?.position).toBe(positionAt(NOON + 60_001));
    expect(effect?.at).toBe(new Date(NOON).toISOString());
  });
  it("sorts behind the one before it, though the clock went backwards", async () => {
    const [first, second] = await write(newStream(), decision("a"), decision("b", { now: NOON - 60_000 }));
    expect(second?.position).toBe(positionAt(NOON + 1));
    expect(first?.position).toBe(positionAt(NOON));
  });
});

describe("fifty commands at once on one stream", { timeout: 120_000 }, () => {
  it("become versions 1 to 50 of an intact chain", async () => {
    // with four times the room between tries, so that none of fifty runs out of them on a busy machine
    const clock: Clock = { now: () => NOON, sleep: (ms) => new Promise((woken) => setTimeout(woken, ms * 4)), random: Math.random };
    const snapshots = snapshotTable(table.client, SNAPSHOTS_TABLE);
    const { environment } = aggregates({ store, snapshots, every: 32, memoryOf: () => lastUsed(1), clock, log: console.log });
    const asked = Array.from({ length: 50 }, (_, n) =>
      environment.execute(
        "web",
        "crowded",
        { type: "AdmitDeployment", request: request(n + 1, { environment: "crowded" }), actor: "ada", at: at() },
        { cause: `cmd_${n}`, correlation: `cmd_${n}`, actor: "ada" },
      ),
    );
    const done = await Promise.all(asked);
    const { commits } = await store.load("environment/web/crowded");
    expect(commits.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(new Set(commits.map(({ cause }) => cause)).size).toBe(50);
    expect(verifyChain(sha256, commits)).toBeUndefined();
    const sequences = done.flatMap(({ events }) => events.map(({ body }) => (body as { sequence: number }).sequence));
    expect([...sequences].sort((a, b) => a - b)).toEqual(commits.map(({ version }) => version));
  });
});
