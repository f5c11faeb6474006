import { DescribeKeyValueStoreCommand, UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { liveKey, MAX_TABLE, pathDigest, releaseKey } from "../../blueprint/edge-table.ts";
import type { Route } from "../../domain/environment/route.ts";
import { initial } from "../../domain/environment/state.ts";
import { keyValueStoreClient } from "../../engine/aws/clients.ts";
import { type EdgeTable, edgeTable } from "../../engine/aws/edge-table.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import type { Flip } from "../../services/flip-alias/flip.ts";
import { switchEdge } from "../../services/flip-alias/switch-edge.ts";
import { newDataDir, removeDataDirs } from "../local/endpoint-support.ts";
import { release, route } from "../support/samples.ts";

let endpoint: Endpoint;
let client: ReturnType<typeof keyValueStoreClient>;
let table: EdgeTable;
let store: string;
let made = 0;
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  client = keyValueStoreClient(clientOptions(endpoint));
  table = edgeTable(client);
});
beforeEach(() => {
  made += 1;
  store = endpoint.keyValueStores.create(`table-${made}`);
});
afterAll(async () => {
  client.destroy();
  await endpoint.close();
  removeDataDirs();
});

/** Digests of as many public files as a route has room for. */
const PATHS = Array.from({ length: 24 }, (_, n) => pathDigest(`${n}.txt`)).join(",");

const problem = async (asked: Promise<unknown>) =>
  problemOf(
    await asked.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );

describe("the edge's table", () => {
  it("has what was put, and nothing of what was deleted", async () => {
    await table.update(store, await table.version(store), { puts: { "live:E1": "a", "live:E2": "b" } });
    await table.update(store, await table.version(store), { puts: { "live:E1": "c" }, deletes: ["live:E2"] });
    expect([await table.get(store, "live:E1"), await table.get(store, "live:E2")]).toEqual(["c", undefined]);
  });

  it("takes any text as a key and as a value", async () => {
    const key = "files:E1/a b:é+&=%/(1)?#";
    await table.update(store, await table.version(store), { puts: { [key]: "ä\n\"'<&" } });
    expect(await table.get(store, key)).toBe("ä\n\"'<&");
  });

  it("takes changes at the version that they were made for, and of two at one version the first", async () => {
    const version = await table.version(store);
    const both = await Promise.allSettled([
      table.update(store, version, { puts: { "live:E1": "first" } }),
      table.update(store, version, { puts: { "live:E1": "second" } }),
    ]);
    const lost = both.filter((one) => one.status === "rejected");
    expect(lost.map(({ reason }) => problemOf(reason))).toEqual(["changed"]);
    expect(await table.get(store, "live:E1")).toBe(both[0]?.status === "fulfilled" ? "first" : "second");
    expect(await table.version(store)).not.toBe(version);
  });

  it("makes none of the changes where it refuses one", async () => {
    const version = await table.version(store);
    const tooLong = "x".repeat(1025);
    await expect(table.update(store, version, { puts: { "live:E1": "a", "live:E2": tooLong } })).rejects.toThrow(/1024 bytes/);
    expect(await table.get(store, "live:E1")).toBeUndefined();
    expect(await table.version(store)).toBe(version);
  });

  it("takes fifty changes at once, and is not asked for more", async () => {
    const puts = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key-${n}`, "v"]));
    const version = await table.version(store);
    const before = endpoint.counters();
    await expect(table.update(store, version, { puts, deletes: ["one-more"] })).rejects.toThrow("51 changes");
    expect(endpoint.counters()).toEqual(before);
    await table.update(store, version, { puts });
    expect(await table.get(store, "key-49")).toBe("v");
  });

  it("has room for a thousand releases of the longest rows, and a flip among them writes as few rows as ever", async () => {
    const split = Array.from({ length: 8 }, (_, n): [string, string] => [`part-${n}/of/the/app/*`, `split${n}`.padEnd(32, "0")]);
    const routes = Array.from({ length: 1_001 }, (_, n) => route(n + 1, { split, files: { set: "0".repeat(16), rows: 0, paths: PATHS } }));
    const [left, next] = routes.slice(-2) as [Route, Route];
    const rows = routes
      .slice(0, -1)
      .map((one) => [releaseKey("E1", one.release), JSON.stringify({ ...one, until: 1_900_000_000 })] as const);
    expect(Buffer.byteLength(rows[0]?.[1] ?? "")).toBeGreaterThan(900);
    for (let from = 0; from < rows.length; from += 50)
      await table.update(store, await table.version(store), { puts: Object.fromEntries(rows.slice(from, from + 50)) });
    await table.update(store, await table.version(store), { puts: { [liveKey("E1")]: JSON.stringify(left) } });
    const size = () => client.send(new DescribeKeyValueStoreCommand({ KvsARN: store }));
    expect((await size()).TotalSizeInBytes).toBeLessThan(MAX_TABLE / 4);

    const state = { ...initial(), flipped: next.sequence, edge: { distribution: "E1", sequence: left.sequence, route: left } };
    for (const one of routes.slice(0, -1)) {
      const until = one === left ? null : "2030-03-17T17:46:40.000Z";
      state.routes.set(one.release, { deploymentId: one.release, route: one, functions: [], until, ended: null });
    }
    const { sequence } = next;
    state.open.set(sequence, { actor: "ada", sequence, deploymentId: next.release, release: release(sequence), reason: "deploy" });
    const functions = { alias: async () => expect.unreachable() };
    const flip = {
      sequence,
      release: release(sequence),
      now: async () => state,
      record: async () => expect.unreachable(),
    } as unknown as Flip;
    const before = endpoint.counters()["cloudfront-keyvaluestore.UpdateKeys"] ?? 0;
    const switched = await switchEdge(
      { edgeTable: table, functions, clock: systemClock },
      flip,
      { table: store, distribution: "E1" },
      next,
      24,
    );
    expect(switched).toMatchObject({ edge: { route: next, ended: [{ release: left.release }] } });
    expect(endpoint.counters()["cloudfront-keyvaluestore.UpdateKeys"]).toBe(before + 1);
    expect((await size()).ItemCount).toBe(1_002);
    expect(await table.get(store, liveKey("E1"))).toBe(JSON.stringify(next));
    expect(JSON.parse((await table.get(store, releaseKey("E1", left.release))) ?? "")).not.toMatchObject({ until: 1_900_000_000 });
    for (const [key, text] of [rows.slice(0, 1), rows.slice(500, 501)].flat()) expect(await table.get(store, key)).toBe(text);
  });

  it("lists every key with its value, also of several pages, and names the version that a change makes", async () => {
    const puts = (from: number) => Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key-${from + n}`, `v${from + n}`]));
    const version = await table.update(store, await table.version(store), { puts: puts(0) });
    expect(await table.update(store, version, { puts: puts(50) })).toBe(await table.version(store));
    const rows = await table.list(store);
    expect(new Map([...(rows ?? [])].sort())).toEqual(new Map(Object.entries({ ...puts(0), ...puts(50) }).sort()));
  });

  it("that is not there is missing, whatever it is asked", async () => {
    const none = store.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await problem(table.version(none))).toBe("missing");
    expect(await problem(table.get(none, "live:E1"))).toBe("missing");
    expect(await problem(table.list(none))).toBe("missing");
    expect(await problem(table.update(none, "KV0", { puts: { "live:E1": "a" } }))).toBe("missing");
  });

  it("that AWS refuses for another version in words of its own has changed; what is wrong has not", () => {
    const said = (message: string) =>
      problemOf(Object.assign(new Error(message), { name: "ValidationException", $metadata: { httpStatusCode: 400 } }));
    expect([said("Pre-Condition failed"), said("The request changes nothing.")]).toEqual(["changed", undefined]);
  });
});

describe("its client", () => {
  it("asks the endpoint that it is given as it is, signed for every region", async () => {
    const seen: { hostname?: string; headers?: Record<string, string> }[] = [];
    client.middlewareStack.add(
      (next) => (args) => {
        seen.push(args.request as (typeof seen)[number]);
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "seen" },
    );
    await table.version(store);
    client.middlewareStack.remove("seen");
    expect(seen).toMatchObject([
      {
        hostname: "127.0.0.1",
        headers: {
          "x-amz-region-set": "*",
          authorization: expect.stringMatching(/^AWS4-ECDSA-P256-SHA256 Credential=.+\/cloudfront-keyvaluestore\/aws4_request/),
        },
      },
    ]);
  });

  it("asks AWS as the SDK does: at a host of the account", async () => {
    const away = keyValueStoreClient({ region: "eu-west-1", credentials: endpoint.credentials });
    let host = "";
    away.middlewareStack.add(
      () => async (args) => {
        host = (args.request as { hostname: string }).hostname;
        throw new Error("nothing leaves this machine");
      },
      { step: "deserialize", priority: "low" },
    );
    await expect(away.send(new UpdateKeysCommand({ KvsARN: store, IfMatch: "KV0" }))).rejects.toThrow("nothing leaves");
    expect(host).toBe("000000000000.cloudfront-kvs.global.api.aws");
    away.destroy();
  });
});
