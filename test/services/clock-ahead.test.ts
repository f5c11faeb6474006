import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { positionAt } from "../../domain/kernel/position.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { type EventStore, eventStore } from "../../engine/log/event-store.ts";
import { END, eventLog } from "../../engine/log/log.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { auditTrail } from "../../services/api/audit.ts";
import { log as events } from "../../services/api/log.ts";
import { chained } from "../support/chained.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { noWaypoints } from "../support/no-waypoints.ts";
import { nobody } from "../support/nobody.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24, 12);
const AHEAD = NOW + 400 * DAY;

let table: Table;
let store: EventStore;
let queries: number;
beforeAll(async () => {
  table = await startTable();
  store = eventStore(table.client, TABLE);
  table.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName === "QueryCommand") queries += 1;
        return next(args);
      },
    { step: "initialize", name: "count" },
  );
});
afterAll(() => table.close());

const write = async (stream: string, now: number) => {
  const { head, version } = await store.load(stream);
  const events = [{ type: "EnvironmentPinned", v: 1, body: { reason: "x", deploymentId: null } }];
  const [event] = await store.append(head, { events, cause: `${stream}@${version}`, correlation: "c", actor: "ada", now });
  return `${stream}@${version + 1} ${event?.id}`;
};
const read = async (since: number) => (await eventLog(table.client, TABLE).read(positionAt(since), END)).map(({ stream }) => stream);

describe("a log that a clock 400 days ahead has written into", () => {
  const one = "environment/web/one";
  const other = "environment/web/other";

  it("has everything, in few queries, before days were named too", async () => {
    await write(one, NOW - DAY);
    await write(one, AHEAD);
    await write(other, NOW);
    queries = 0;
    expect(await read(NOW - 2 * DAY)).toEqual([one, other, one]);
    // the days' names, and three days of eight shards: none of the 400 between
    expect(queries).toBe(1 + 3 * 8);

    // as an older release wrote it: no name of its day
    const [first] = (await store.load(one)).commits;
    if (first === undefined) throw new Error("there is no commit");
    const changed = { ...first, id: "x".repeat(22), stream: "environment/web/old", position: positionAt(NOW + 200 * DAY) };
    const [old = first] = chained([changed]);
    await table.client.send(new PutItemCommand({ TableName: TABLE, Item: itemCodec(TABLE)(old) }));
    expect(await read(NOW - 2 * DAY)).toContain("environment/web/old");
    await eventLog(table.client, TABLE).completeDays();
    expect(await read(NOW - 2 * DAY)).toContain("environment/web/old");
    expect(await eventLog(table.client, TABLE).lastAfter(positionAt(NOW))).toBe(positionAt(AHEAD));
  });

  it("goes on ahead of the clock in the order of writing, whichever stream", async () => {
    await write("environment/web/third", AHEAD + 5_000);
    await write(one, NOW);
    await write("environment/web/third", NOW);
    const last = async (stream: string) => (await store.load(stream)).commits.at(-1)?.position ?? "";
    expect(Number(await last(one))).toBe(AHEAD + 5_001);
    expect(Number(await last("environment/web/third"))).toBe(AHEAD + 5_002);
    await write("environment/web/fourth", NOW);
    expect(await last("environment/web/fourth")).toBe(positionAt(NOW));
  });

  it("is followed to its end, and then by what is new: at the present, and ahead", async () => {
    const app = events({
      config: { ...localNames, sites: [], tokens: {} },
      read: store.read,
      views: {} as never,
      log: eventLog(table.client, TABLE),
      clock: { now: () => NOW + 60_000 },
    });
    const seen = new Set<string>();
    let next = positionAt(NOW - 5 * DAY);
    const page = async (): Promise<string[]> => {
      const answer = (await (await app.request(`/?limit=2&since=${next}`)).json()) as {
        events: { id: string; stream: string; version: number }[];
        next: string;
      };
      next = answer.next;
      const fresh = answer.events.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      return fresh.map(({ stream, version, id }) => `${stream}@${version} ${id}`);
    };
    const whole = await eventLog(table.client, TABLE).read("0", END);
    for (let pages = 0; pages < 20 && seen.size < whole.length; pages++) await page();
    expect(seen.size).toBe(whole.length);
    for (const stream of [one, "environment/web/fourth", one, "environment/web/fifth", "environment/web/third"]) {
      const written = await write(stream, NOW + 59_000);
      expect(await page()).toEqual([written]);
      expect(await page()).toEqual([]);
    }
  });

  it("is in the audit, without a beginning or an end", async () => {
    const app = auditTrail({
      people: nobody,
      views: noWaypoints,
      read: store.read,
      log: eventLog(table.client, TABLE),
      clock: { now: () => NOW },
    });
    const { rows } = (await (await app.request("/?limit=500")).json()) as { rows: { position: string }[] };
    const whole = await eventLog(table.client, TABLE).read("0", END);
    expect(rows.map(({ position }) => position)).toEqual(whole.map(({ position }) => position));
  });
});
