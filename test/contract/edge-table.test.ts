import { UpdateKeysCommand } from "@aws-sdk/client-cloudfront-keyvaluestore";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyValueStoreClient } from "../../engine/aws/clients.ts";
import { type EdgeTable, edgeTable } from "../../engine/aws/edge-table.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { newDataDir, removeDataDirs } from "../local/endpoint-support.ts";

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

  it("that is not there is missing, whatever it is asked", async () => {
    const none = store.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await problem(table.version(none))).toBe("missing");
    expect(await problem(table.get(none, "live:E1"))).toBe("missing");
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
