import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type CloudFrontKeyValueStoreClient,
  DeleteKeyCommand,
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  ListKeysCommand,
  PutKeyCommand,
  paginateListKeys,
  UpdateKeysCommand,
  type UpdateKeysCommandInput,
} from "@aws-sdk/client-cloudfront-keyvaluestore";
import { SignatureV4a } from "@aws-sdk/signature-v4a";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyValueStoreClient } from "../../engine/aws/clients.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type AccessKey, type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { openKeyValueStores } from "../../local/endpoint/key-value-store.ts";
import { failureOf, newDataDir, removeDataDirs } from "./endpoint-support.ts";

let endpoint: Endpoint;
let client: CloudFrontKeyValueStoreClient;
let KvsARN: string;
let made = 0;
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  client = keyValueStoreClient({ ...clientOptions(endpoint) });
});
beforeEach(() => {
  made += 1;
  KvsARN = endpoint.keyValueStores.create(`store-${made}`);
});
afterAll(async () => {
  client.destroy();
  await endpoint.close();
  removeDataDirs();
});

const describeStore = () => client.send(new DescribeKeyValueStoreCommand({ KvsARN }));
const etag = async (): Promise<string> => (await describeStore()).ETag ?? "";
const put = async (Key: string, Value: string) => client.send(new PutKeyCommand({ KvsARN, Key, Value, IfMatch: await etag() }));
const valueAt = async (Key: string) => (await client.send(new GetKeyCommand({ KvsARN, Key }))).Value;
const update = async (changes: Pick<UpdateKeysCommandInput, "Puts" | "Deletes">, IfMatch?: string) =>
  client.send(new UpdateKeysCommand({ KvsARN, ...changes, IfMatch: IfMatch ?? (await etag()) }));
const refusal = async (call: Promise<unknown>) => {
  const { name, status } = await failureOf(call);
  return [name, status];
};
/** As many bytes of UTF-8 as that. */
const bytes = (count: number): string => "ä".repeat(Math.floor(count / 2)) + "x".repeat(count % 2);

describe("a key value store", () => {
  it("is made in this process, once for a name, and is there at once", async () => {
    expect(endpoint.keyValueStores.create(`store-${made}`)).toBe(KvsARN);
    expect(KvsARN).toMatch(/^arn:aws:cloudfront::\d{12}:key-value-store\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(endpoint.keyValueStores.create("another")).not.toBe(KvsARN);
    expect(await describeStore()).toMatchObject({ KvsARN, ItemCount: 0, TotalSizeInBytes: 0, Status: "READY", Created: expect.any(Date) });
  });

  it("counts its keys and the bytes of keys and values", async () => {
    await put("ä", "öü");
    expect(await put("b", "c")).toMatchObject({ ItemCount: 2, TotalSizeInBytes: 8 });
    expect(await describeStore()).toMatchObject({ ItemCount: 2, TotalSizeInBytes: 8 });
    expect(await client.send(new GetKeyCommand({ KvsARN, Key: "ä" }))).toMatchObject({ Key: "ä", Value: "öü", ItemCount: 2 });
  });

  it("has another version after every write, and takes none for an older one", async () => {
    const first = await etag();
    const { ETag: second } = await put("a", "1");
    const { ETag: third } = await client.send(new DeleteKeyCommand({ KvsARN, Key: "a", IfMatch: second }));
    const { ETag: fourth } = await update({ Puts: [{ Key: "a", Value: "2" }] }, third);
    expect(new Set([first, second, third, fourth]).size).toBe(4);
    expect(await etag()).toBe(fourth);
    for (const old of [first, second, third, "none"]) {
      expect(await refusal(update({ Puts: [{ Key: "a", Value: "old" }] }, old))).toEqual(["ConflictException", 409]);
      expect(await refusal(client.send(new PutKeyCommand({ KvsARN, Key: "a", Value: "old", IfMatch: old })))).toEqual([
        "ConflictException",
        409,
      ]);
      expect(await refusal(client.send(new DeleteKeyCommand({ KvsARN, Key: "a", IfMatch: old })))).toEqual(["ConflictException", 409]);
    }
    expect(await valueAt("a")).toBe("2");
  });

  it("wants to hear the version", async () => {
    const asked = { method: "PUT", path: `/key-value-stores/${encodeURIComponent(KvsARN)}/keys/a`, body: '{"Value":"1"}' };
    const answer = await send({ ...asked, headers: await signed(asked) });
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining("If-Match") });
  });

  it("changes several keys together, or none where one of them cannot be", async () => {
    await update({
      Puts: [
        { Key: "a", Value: "1" },
        { Key: "b", Value: "1" },
      ],
    });
    await update({ Puts: [{ Key: "a", Value: "2" }], Deletes: [{ Key: "b" }] });
    const before = await describeStore();
    expect(await refusal(update({ Puts: [{ Key: "a", Value: "3" }], Deletes: [{ Key: "none" }] }))).toEqual([
      "ResourceNotFoundException",
      404,
    ]);
    expect(await valueAt("a")).toBe("2");
    const { $metadata: _, ...after } = await describeStore();
    expect(before).toMatchObject(after);
  });

  it.each([
    [
      "a key twice",
      {
        Puts: [
          { Key: "a", Value: "1" },
          { Key: "a", Value: "2" },
        ],
      },
    ],
    ["a key that is put and deleted", { Puts: [{ Key: "a", Value: "1" }], Deletes: [{ Key: "a" }] }],
    ["no change", {}],
    ["fifty-one changes", { Puts: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: "" })) }],
    ["an empty key", { Puts: [{ Key: "", Value: "1" }] }],
    ["a key of 513 bytes", { Puts: [{ Key: bytes(513), Value: "1" }] }],
    ["a value of 1025 bytes", { Puts: [{ Key: "a", Value: bytes(1025) }] }],
  ])("refuses %s", async (_, changes) => {
    expect(await refusal(update(changes))).toEqual(["ValidationException", 400]);
    expect((await describeStore()).ItemCount).toBe(0);
  });

  it("takes fifty changes, keys of 512 and values of 1024 bytes", async () => {
    await update({
      Puts: Array.from({ length: 50 }, (_, n) => ({ Key: `${String(n).padStart(2, "0")}${bytes(510)}`, Value: bytes(1024) })),
    });
    expect(await describeStore()).toMatchObject({ ItemCount: 50, TotalSizeInBytes: 50 * 1536 });
  });

  it("lists its keys in pages", async () => {
    await update({ Puts: ["c", "a", "b"].map((Key) => ({ Key, Value: Key.toUpperCase() })) });
    const pages: unknown[] = [];
    for await (const { Items } of paginateListKeys({ client, pageSize: 2 }, { KvsARN })) pages.push(Items);
    expect(pages).toEqual([
      [
        { Key: "a", Value: "A" },
        { Key: "b", Value: "B" },
      ],
      [{ Key: "c", Value: "C" }],
    ]);
    expect(await refusal(client.send(new ListKeysCommand({ KvsARN, MaxResults: 51 })))).toEqual(["ValidationException", 400]);
  });

  it("that nobody made, and a key that nobody put, are not found", async () => {
    expect(await refusal(valueAt("none"))).toEqual(["ResourceNotFoundException", 404]);
    expect(await refusal(client.send(new DeleteKeyCommand({ KvsARN, Key: "none", IfMatch: await etag() })))).toEqual([
      "ResourceNotFoundException",
      404,
    ]);
    KvsARN = KvsARN.replace(/[^/]+$/, "00000000-0000-0000-0000-000000000000");
    expect(await refusal(describeStore())).toEqual(["ResourceNotFoundException", 404]);
  });

  it("is the same after a restart", async () => {
    const dataDir = newDataDir();
    const first = await startEndpoint({ dataDir });
    KvsARN = first.keyValueStores.create("kept");
    const before = keyValueStoreClient(clientOptions(first));
    const { ETag = "" } = await before.send(new DescribeKeyValueStoreCommand({ KvsARN }));
    const written = await before.send(new PutKeyCommand({ KvsARN, Key: "__proto__", Value: "1", IfMatch: ETag }));
    before.destroy();
    await first.close();
    const second = await startEndpoint({ dataDir });
    const after = keyValueStoreClient(clientOptions(second));
    expect(await after.send(new DescribeKeyValueStoreCommand({ KvsARN }))).toMatchObject({ ETag: written.ETag, ItemCount: 1 });
    expect(second.keyValueStores.read(KvsARN, "__proto__")).toBe("1");
    after.destroy();
    await second.close();
  });
});

describe("a store that is read in this process", () => {
  let time: number;
  let stores: ReturnType<typeof openKeyValueStores>;
  let arn: string;
  let folder: string;
  const write = (key: string, value: string | undefined): void => {
    const changes = value === undefined ? { puts: [], deletes: [{ Key: key }] } : { puts: [{ Key: key, Value: value }], deletes: [] };
    stores.update(arn, stores.get(arn).etag, changes);
  };
  beforeEach(() => {
    time = 1_000;
    folder = newDataDir();
    stores = openKeyValueStores(folder, () => time);
    arn = stores.create("edge");
  });

  it("has what was written last", () => {
    write("a", "1");
    write("a", "2");
    expect([stores.read(arn, "a"), stores.read(arn, "b"), stores.read("arn:none", "a")]).toEqual(["2", undefined, undefined]);
  });

  it("tells what a key was at each moment of the last minute", () => {
    write("a", "1");
    time = 2_000;
    write("a", "2");
    write("b", "other");
    time = 3_000;
    write("a", undefined);
    time = 4_000;
    const seen = [999, 1_000, 1_999, 2_000, 2_999, 3_000, 4_000].map((at) => stores.readAsOf(arn, "a", at));
    expect(seen).toEqual([undefined, "1", "1", "2", "2", undefined, undefined]);
    expect([stores.readAsOf(arn, "b", 1_999), stores.readAsOf(arn, "b", 2_000)]).toEqual([undefined, "other"]);
  });

  it("forgets what was a minute ago, and nothing that is younger", () => {
    write("a", "1");
    time = 2_000;
    write("a", "2");
    time = 62_000;
    write("a", "3");
    expect([stores.readAsOf(arn, "a", 1_999), stores.readAsOf(arn, "a", 2_000)]).toEqual(["2", "2"]);
    time = 121_999;
    write("b", "1");
    expect(stores.readAsOf(arn, "a", 61_999)).toBe("2");
  });

  it("grows to five megabytes and no further", () => {
    // as a hundred full requests would leave it
    const items = Array.from({ length: 5 * 1_024 }, (_, n) => [`key-${String(n).padStart(6, "0")}`, "x".repeat(1_014)]);
    const file = join(folder, `${encodeURIComponent(arn)}.json`);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), items }));
    stores = openKeyValueStores(folder, () => time);
    expect(stores.get(arn).bytes).toBe(5 * 1_024 * 1_024);
    expect(() => write("one", "")).toThrow(expect.objectContaining({ code: "ServiceQuotaExceededException", status: 402 }));
    write("key-000000", undefined);
    write("one", "");
    expect(stores.read(arn, "one")).toBe("");
  });
});

type Asked = { method: string; path: string; headers?: Record<string, string>; body?: string };

/** Sends a request exactly as given. */
const send = ({ method, path, headers = {}, body = "" }: Asked): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const length = body === "" ? {} : { "content-length": Buffer.byteLength(body) };
    const asked = request(`${endpoint.url}${path}`, { method, headers: { ...headers, ...length } }, async (answer) =>
      resolve({ status: answer.statusCode ?? 0, body: await text(answer) }),
    );
    asked.on("error", reject);
    asked.end(body);
  });

/** The headers of a request once it is signed, perhaps at another time, for other regions or with another key. */
const signed = async (
  { method, path, headers = {}, body }: Asked,
  { at = new Date(), region = "*", key = endpoint.credentials, service = "cloudfront-keyvaluestore" }: Signing = {},
): Promise<Record<string, string>> => {
  const { host } = new URL(endpoint.url);
  const signer = new SignatureV4a({ service, region, credentials: key, sha256: Sha256 });
  const made = { method, protocol: "http:", hostname: host, path, query: {}, headers: { host, ...headers }, body };
  return (await signer.sign(made, { signingDate: at })).headers;
};
type Signing = { at?: Date; region?: string; key?: AccessKey; service?: string };

describe("a signature without a region", () => {
  const asked = (): Required<Asked> => ({
    method: "POST",
    path: `/key-value-stores/${encodeURIComponent(KvsARN)}/keys`,
    headers: { "content-type": "application/json", "if-match": "KV0" },
    body: '{"Puts":[{"Key":"a","Value":"1"}]}',
  });
  // what is signed well gets as far as its version, which is wrong
  const LET_IN = { status: 409, body: expect.stringContaining("ConflictException") };
  const REFUSED = { status: 403, body: expect.stringContaining("InvalidSignatureException") };

  it("lets in who has the secret", async () => {
    const headers = await signed(asked());
    expect(headers.authorization).toMatch(/^AWS4-ECDSA-P256-SHA256 /);
    expect(await send({ ...asked(), headers })).toMatchObject(LET_IN);
    expect(await send({ ...asked(), headers: await signed(asked(), { key: endpoint.functionCredentials }) })).toMatchObject(LET_IN);
  });

  it("is different each time, and good each time", async () => {
    for (const key of [endpoint.credentials, endpoint.functionCredentials])
      for (const second of [1, 2, 3, 4, 5, 6, 7, 8])
        expect(
          await send({ ...asked(), headers: await signed(asked(), { key, at: new Date(Date.now() - second * 1_000) }) }),
        ).toMatchObject(LET_IN);
  });

  it("with another secret, of another key, or with a session is refused", async () => {
    const { accessKeyId, secretAccessKey } = endpoint.credentials;
    const wrong = await signed(asked(), { key: { accessKeyId, secretAccessKey: `${secretAccessKey}x` } });
    expect(await send({ ...asked(), headers: wrong })).toMatchObject(REFUSED);
    for (const key of [
      { accessKeyId: "LKIAAAAAAAAAAAAAAAAA", secretAccessKey },
      { accessKeyId, secretAccessKey, sessionToken: "token" },
    ])
      expect(await send({ ...asked(), headers: await signed(asked(), { key }) })).toMatchObject({
        status: 403,
        body: expect.stringContaining("UnrecognizedClientException"),
      });
  });

  it("made with a key pair that does not follow from the secret is refused", async () => {
    const headers = await signed(asked());
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const forged = sign("sha256", Buffer.from("anything"), privateKey).toString("hex");
    const authorization = headers.authorization?.replace(/Signature=.*/, `Signature=${forged}`) ?? "";
    expect(await send({ ...asked(), headers: { ...headers, authorization } })).toMatchObject(REFUSED);
  });

  it("does not fit another body, path, method, query or header", async () => {
    const headers = await signed(asked());
    const other = encodeURIComponent(endpoint.keyValueStores.create("other"));
    for (const change of [
      { body: '{"Puts":[{"Key":"a","Value":"2"}]}' },
      { path: `/key-value-stores/${other}/keys` },
      { path: `${asked().path}?MaxResults=1` },
      { method: "PUT", path: `${asked().path}/a` },
      { headers: { ...headers, "if-match": "KV1" } },
      { headers: { ...headers, host: "localhost" } },
      { headers: { ...headers, "x-amz-region-set": "*,eu-west-1" } },
      { headers: { ...headers, "x-amz-meta": "more" } },
    ]) {
      const answer = await send({ ...asked(), headers, ...change });
      expect([change, answer]).toMatchObject([change, REFUSED]);
    }
  });

  it("must hold here", async () => {
    const sentFor = async (region: string) => send({ ...asked(), headers: await signed(asked(), { region }) });
    expect(await sentFor("eu-west-1")).toMatchObject(LET_IN);
    expect(await sentFor("us-east-1,eu-west-1")).toMatchObject(LET_IN);
    expect(await sentFor("us-east-1")).toMatchObject(REFUSED);
  });

  it("is for one service", async () => {
    expect(await send({ ...asked(), headers: await signed(asked(), { service: "cloudfront" }) })).toMatchObject(REFUSED);
  });

  it("holds for a quarter of an hour, both ways", async () => {
    const sentAt = async (minutes: number) =>
      (await send({ ...asked(), headers: await signed(asked(), { at: new Date(Date.now() + minutes * 60_000) }) })).status;
    expect([await sentAt(-14), await sentAt(14), await sentAt(-16), await sentAt(16)]).toEqual([409, 409, 403, 403]);
  });

  it("cannot be one with a region, nor stand where one with a region is asked for", async () => {
    const { host } = new URL(endpoint.url);
    const signer = new SignatureV4({
      service: "cloudfront-keyvaluestore",
      region: "eu-west-1",
      credentials: endpoint.credentials,
      sha256: Sha256,
    });
    const { method, path, headers, body } = asked();
    const v4 = await signer.sign({ method, protocol: "http:", hostname: host, path, query: {}, headers: { host, ...headers }, body });
    expect(await send({ ...asked(), headers: v4.headers })).toMatchObject(REFUSED);
    const lambda = { method: "GET", path: "/2015-03-31/functions" };
    expect(await send({ ...lambda, headers: await signed(lambda, { service: "lambda" }) })).toMatchObject(REFUSED);
  });

  it("is asked of everybody", async () => {
    expect(await send(asked())).toMatchObject({ status: 403, body: expect.stringContaining("MissingAuthenticationToken") });
    for (const authorization of ["AWS4-ECDSA-P256-SHA256", "AWS4-ECDSA-P256-SHA256 Credential=, SignedHeaders=, Signature=", "Basic eA=="])
      expect(await send({ ...asked(), headers: { ...(await signed(asked())), authorization } })).toMatchObject(REFUSED);
  });
});
