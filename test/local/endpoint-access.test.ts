import { createHash } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientOptions } from "../../local/client-options.ts";
import { type AccessKey, type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { REGION } from "../../local/http.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { ANY_KEY } from "../support/any-key.ts";
import { type Clients, clientsOf, failureOf, newDataDir, type RawRequest, removeDataDirs, signedFetch } from "./endpoint-support.ts";

let endpoint: Endpoint;
let clients: Clients;
const dataDir = newDataDir();
const SECRET = "a-value-that-nobody-else-may-read";
const Bucket = "private";
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir });
  clients = clientsOf(endpoint);
  for (const name of ["lambda", "codebuild"] as const) endpoint.mount(name, async () => ({ status: 200, body: "{}" }));
  await clients.secrets.send(new CreateSecretCommand({ Name: "web", SecretString: SECRET }));
  await clients.s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  removeDataDirs();
});

const JSON_TYPE = { "content-type": "application/x-amz-json-1.0" };
const GET_SECRET: RawRequest = {
  service: "secretsmanager",
  method: "POST",
  headers: { ...JSON_TYPE, "x-amz-target": "secretsmanager.GetSecretValue" },
  body: '{"SecretId":"web"}',
};
const target = (service: string, name: string): RawRequest => ({
  service,
  method: "POST",
  headers: { ...JSON_TYPE, "x-amz-target": name },
  body: "{}",
});

/** One request to each service, as its clients make them. */
const EACH_SERVICE: Readonly<Record<string, RawRequest>> = {
  dynamodb: target("dynamodb", "DynamoDB_20120810.ListTables"),
  events: target("events", "AWSEvents.ListRules"),
  sqs: target("sqs", "AmazonSQS.ListQueues"),
  codebuild: target("codebuild", "CodeBuild_20161006.BatchGetProjects"),
  logs: target("logs", "Logs_20140328.GetLogEvents"),
  kms: target("kms", "TrentService.ListAliases"),
  secretsmanager: GET_SECRET,
  s3: { service: "s3", method: "GET" },
  lambda: { service: "lambda", method: "GET", path: "/2015-03-31/functions" },
  cloudfront: { service: "cloudfront", method: "GET", path: "/2020-05-31/distribution" },
};

const NOT_LET_IN =
  /Authentication|InvalidSignature|SignatureDoesNotMatch|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|AccessDenied/;

type Sent = { status: number; body: string };

/** Sends a request exactly as given: `fetch` keeps some headers for itself. */
const send = ({ method, path = "/", headers = {}, body = "" }: Omit<RawRequest, "service">): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const length = body === "" ? {} : { "content-length": Buffer.byteLength(body) };
    const asked = request(`${endpoint.url}${path}`, { method, headers: { ...headers, ...length } }, async (answer) =>
      resolve({ status: answer.statusCode ?? 0, body: await text(answer) }),
    );
    asked.on("error", reject);
    asked.end(body);
  });

const signerOf = (service: string, credentials: AccessKey): SignatureV4 =>
  new SignatureV4({ service, region: REGION, credentials, sha256: Sha256, uriEscapePath: service !== "s3" });

/** The headers of a request once it is signed, perhaps at another time or with another key. */
const signed = async (
  { service, method, path = "/", headers = {}, body }: RawRequest,
  { at = new Date(), key = endpoint.credentials }: { at?: Date; key?: AccessKey } = {},
): Promise<Record<string, string>> => {
  const { host } = new URL(endpoint.url);
  const made = { method, protocol: "http:", hostname: host, path, query: {}, headers: { host, ...headers }, body };
  return (await signerOf(service, key).sign(made, { signingDate: at })).headers;
};
const minutesFromNow = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);

describe("every service", () => {
  it.each(Object.entries(EACH_SERVICE))("%s answers who signs, and nobody else", async (service, asked) => {
    const { path = "/", ...rest } = asked;
    expect(await (await signedFetch(endpoint, asked)).text()).not.toMatch(NOT_LET_IN);
    const unsigned = await send({ ...rest, path });
    expect([400, 403]).toContain(unsigned.status);
    expect(unsigned.body).toMatch(service === "s3" ? /AccessDenied/ : /MissingAuthenticationToken/);
    expect(unsigned.body).not.toContain(SECRET);
    const stranger = { ...endpoint.credentials, secretAccessKey: "not-the-secret-of-this-data-folder-000000" };
    const forged = await send({ ...rest, path, headers: await signed(asked, { key: stranger }) });
    expect([400, 403]).toContain(forged.status);
    expect(forged.body).toMatch(/InvalidSignature|SignatureDoesNotMatch/);
  });
});

describe("a signature", () => {
  const refused = /InvalidSignatureException/;

  it("of another access key is unknown, whatever else is right", async () => {
    const key = { ...endpoint.credentials, accessKeyId: "LKIAAAAAAAAAAAAAAAAA" };
    expect(await send({ ...GET_SECRET, headers: await signed(GET_SECRET, { key }) })).toMatchObject({
      status: 403,
      body: expect.stringContaining("UnrecognizedClientException"),
    });
    const old = new SecretsManagerClient(clientOptions({ url: endpoint.url, credentials: ANY_KEY }));
    expect((await failureOf(old.send(new GetSecretValueCommand({ SecretId: "web" })))).name).toBe("UnrecognizedClientException");
    old.destroy();
  });

  it("with a session token is of other credentials", async () => {
    const headers = { ...GET_SECRET.headers, "x-amz-security-token": "token" };
    expect(await send({ ...GET_SECRET, headers: await signed({ ...GET_SECRET, headers }) })).toMatchObject({ status: 403 });
  });

  it("does not fit another body, path, header or method", async () => {
    const headers = await signed(GET_SECRET);
    expect(await send({ ...GET_SECRET, headers })).toMatchObject({ status: 200, body: expect.stringContaining(SECRET) });
    for (const change of [
      { body: '{"SecretId":"wob"}' },
      { path: "/other" },
      { method: "PUT" },
      { headers: { ...headers, "x-amz-target": "secretsmanager.DeleteSecret" } },
      { headers: { ...headers, host: "localhost" } },
    ]) {
      const answer = await send({ ...GET_SECRET, headers, ...change });
      expect([change, answer.status, answer.body]).toEqual([change, 403, expect.stringMatching(refused)]);
    }
  });

  it("must cover every header that means something to AWS", async () => {
    const { "x-amz-target": named = "", ...others } = GET_SECRET.headers ?? {};
    const headers = { ...(await signed({ ...GET_SECRET, headers: others })), "x-amz-target": named };
    expect(await send({ ...GET_SECRET, headers })).toMatchObject({
      status: 403,
      body: expect.stringContaining("not signed: x-amz-target"),
    });
  });

  it("is for one service", async () => {
    const headers = await signed({ ...GET_SECRET, service: "sqs" });
    expect(await send({ ...GET_SECRET, headers })).toMatchObject({ status: 403, body: expect.stringContaining("secretsmanager") });
  });

  it("holds for a quarter of an hour, both ways", async () => {
    const sentAt = async (minutes: number): Promise<number> =>
      (await send({ ...GET_SECRET, headers: await signed(GET_SECRET, { at: minutesFromNow(minutes) }) })).status;
    expect([await sentAt(-14), await sentAt(14), await sentAt(-16), await sentAt(16)]).toEqual([200, 200, 403, 403]);
    const s3 = await send({ method: "GET", headers: await signed({ service: "s3", method: "GET" }, { at: minutesFromNow(-16) }) });
    expect(s3).toMatchObject({ status: 403, body: expect.stringContaining("RequestTimeTooSkewed") });
  });

  it.each([
    ["no signature at all", "AWS4-HMAC-SHA256"],
    ["a basic authorization", "Basic bG9jYWw6bG9jYWw="],
    ["an empty one", "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature="],
  ])("that is %s is refused", async (_what, authorization) => {
    const headers = { ...(await signed(GET_SECRET)), authorization };
    expect(await send({ ...GET_SECRET, headers })).toMatchObject({ status: 403 });
  });

  it("with a date that is none is refused", async () => {
    const headers = await signed(GET_SECRET);
    for (const date of ["20269999T999999Z", "now", ""])
      expect(await send({ ...GET_SECRET, headers: { ...headers, "x-amz-date": date } })).toMatchObject({ status: 403 });
  });
});

describe("an object of S3", () => {
  const put = { service: "s3", method: "PUT", path: `/${Bucket}/by%20hand`, body: "what was signed" };

  it("is written and read with odd names and parameters", async () => {
    const Key = "a b/é+&=%/(1)";
    await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: "odd", Metadata: { some: "value  with spaces" } }));
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key, ResponseContentType: "text/x+y" }));
    expect(await Body?.transformToString()).toBe("odd");
  });

  it.each(["[b]", "it's", "(1)", "!*", "$b,c;d=e@f:g&", "a|b^", "ä", "a b", "~"])(
    "is written under %s however little of its name the client encodes on the wire, as `fetch` does",
    async (name) => {
      const encoded = encodeURIComponent(name).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
      const digest = { "x-amz-content-sha256": createHash("sha256").update("odd").digest("hex") };
      const asked = { service: "s3", method: "PUT", path: `/${Bucket}/${encoded}`, headers: digest, body: "odd" };
      const headers = await signed(asked);
      const { pathname } = new URL(`http://host/${Bucket}/${name}`);
      expect(await send({ ...asked, path: pathname, headers })).toMatchObject({ status: 200 });
      expect(await send({ ...asked, path: `${pathname}x`, headers })).toMatchObject({ status: 403 });
    },
  );

  it("has the body that was signed", async () => {
    const headers = await signed(put);
    expect((await send({ ...put, headers })).status).toBe(200);
    expect(await send({ ...put, headers, body: "something other" })).toMatchObject({
      status: 400,
      body: expect.stringContaining("XAmzContentSHA256Mismatch"),
    });
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key: "by hand" }));
    expect(await Body?.transformToString()).toBe("what was signed");
  });

  it("may come without a signed digest only where that is signed", async () => {
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    expect((await send({ ...put, headers: await signed({ ...put, headers }) })).status).toBe(200);
    const { "x-amz-content-sha256": _, ...without } = await signed(put);
    expect((await send({ ...put, headers: without })).status).toBe(403);
  });

  it("is written by no form of a web page", async () => {
    const body =
      '--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nforged\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--x--\r\n';
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    expect((await send({ method: "POST", path: `/${Bucket}`, headers, body })).status).toBe(403);
    expect((await failureOf(clients.s3.send(new GetObjectCommand({ Bucket, Key: "forged" })))).name).toBe("NoSuchKey");
  });
});

describe("a presigned URL", () => {
  const Key = "by-url";
  const pathOf = (url: string): string => url.slice(endpoint.url.length);
  const getUrl = async (options: { expiresIn?: number; signingDate?: Date } = {}): Promise<string> =>
    pathOf(await getSignedUrl(clients.s3, new GetObjectCommand({ Bucket, Key }), options));
  beforeAll(() => clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: "presigned" })));

  it("serves what it was made for", async () => {
    expect(await send({ method: "GET", path: await getUrl() })).toEqual({ status: 200, body: "presigned" });
    const url = await getSignedUrl(clients.s3, new PutObjectCommand({ Bucket, Key: "put-by-url", ContentType: "text/plain" }));
    expect(await send({ method: "PUT", path: pathOf(url), headers: { "content-type": "text/plain" }, body: "x" })).toMatchObject({
      status: 200,
    });
  });

  it("does not serve another method, object or parameter, nor a changed signature", async () => {
    const path = await getUrl();
    const flipped = path.replace(/(X-Amz-Signature=)(.)/, (_, name, first) => name + (first === "0" ? "1" : "0"));
    for (const [method, changed] of [
      ["DELETE", path],
      ["GET", path.replace(Key, "by%20hand")],
      ["GET", path.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604800")],
      ["GET", `${path}&response-content-type=text%2Fhtml`],
      ["GET", flipped],
    ] as const)
      expect([changed, (await send({ method, path: changed })).status]).toEqual([changed, 403]);
  });

  it("ends with its time", async () => {
    expect((await send({ method: "GET", path: await getUrl({ expiresIn: 900, signingDate: minutesFromNow(-14) }) })).status).toBe(200);
    const over = await send({ method: "GET", path: await getUrl({ expiresIn: 900, signingDate: minutesFromNow(-16) }) });
    expect(over).toMatchObject({ status: 403, body: expect.stringContaining("Request has expired") });
    const hour = await getUrl({ expiresIn: 7200, signingDate: minutesFromNow(-60) });
    expect((await send({ method: "GET", path: hour })).status).toBe(200);
  });

  it("of another key is refused", async () => {
    const key = { ...endpoint.credentials, secretAccessKey: "another".repeat(6) };
    const stranger = new S3Client({ ...clientOptions({ url: endpoint.url, credentials: key }), forcePathStyle: true });
    const url = await getSignedUrl(stranger, new GetObjectCommand({ Bucket, Key }));
    expect((await send({ method: "GET", path: pathOf(url) })).status).toBe(403);
    stranger.destroy();
  });
});

describe("who looks like a web page", () => {
  it.each([
    ["a foreign Host", { host: "attacker.example" }],
    ["a Host that only begins like this machine", { host: "localhost.attacker.example" }],
    ["an address of the network", { host: "192.168.0.1" }],
    ["an Origin", { origin: "https://attacker.example" }],
    ["the Origin of a page of this machine", { origin: "http://127.0.0.1:3000" }],
    ["the Origin of a file or a sandbox", { origin: "null" }],
    ["cross-site fetch metadata", { "sec-fetch-site": "cross-site" }],
    ["fetch metadata of another port", { "sec-fetch-site": "same-site" }],
  ])("is refused for %s, even with the right signature", async (_what, more) => {
    const headers = { ...GET_SECRET.headers, ...more } as Record<string, string>;
    const answer = await send({ ...GET_SECRET, headers: { ...(await signed({ ...GET_SECRET, headers })), ...more } });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining("AccessDenied") });
    expect((await send({ method: "OPTIONS", headers: { ...headers, "access-control-request-method": "POST" } })).status).toBe(403);
  });

  it.each(["localhost", "web.localhost", "127.0.0.1:1", "[::1]:4566", "LOCALHOST:80"])("is not who asks as %s", async (host) => {
    const headers = { ...GET_SECRET.headers, host };
    expect((await send({ ...GET_SECRET, headers: await signed({ ...GET_SECRET, headers }) })).status).toBe(200);
  });

  it("reaches a function URL from any Origin, under names of this machine", async () => {
    endpoint.mount("functionUrl", async () => ({ status: 200, body: "hello" }));
    const path = "/.lambda-url/abc/";
    expect((await send({ method: "POST", path, headers: { origin: "https://attacker.example" } })).status).toBe(200);
    expect((await send({ method: "GET", path, headers: { host: "attacker.example" } })).status).toBe(403);
  });
});

describe("the access key", () => {
  const file = join(dataDir, "access-key.json");

  it("lies in the data folder for its owner alone, and cannot be taken for one of AWS's", () => {
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(endpoint.credentials);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(endpoint.credentials.accessKeyId).toMatch(/^LKIA[A-Z2-7]{16}$/);
  });

  it("is made at the first start, is the same after a restart, and is another in another folder", async () => {
    const directory = newDataDir();
    const first = await startEndpoint({ dataDir: directory });
    await first.close();
    const second = await startEndpoint({ dataDir: directory });
    expect(second.credentials).toEqual(first.credentials);
    expect(second.credentials.secretAccessKey).not.toBe(endpoint.credentials.secretAccessKey);
    await second.close();
  });

  it("is made for a folder that an earlier release left without one, and what is there is served", async () => {
    const directory = newDataDir();
    const first = await startEndpoint({ dataDir: directory });
    const before = clientsOf(first);
    await before.s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    before.destroy();
    await first.close();
    rmSync(join(directory, "access-key.json"));
    const second = await startEndpoint({ dataDir: directory });
    const after = clientsOf(second);
    expect((await after.s3.send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: "kept" }]);
    expect((await after.dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual([]);
    after.destroy();
    await second.close();
  });

  it("that is damaged is named, and nothing starts with a weak one", async () => {
    const directory = newDataDir();
    const damaged = join(directory, "access-key.json");
    for (const content of ['{"accessKeyId":"local","secretAccessKey":"local"}', '{"accessKeyId":"LKIAAAAAAAAAAAAAAAAA"}', "[]x"]) {
      writeFileSync(damaged, content);
      await expect(startEndpoint({ dataDir: directory })).rejects.toThrow(damaged);
    }
  });
});

describe("a site's function", () => {
  const Bucket = BUCKETS.static;
  let own: Clients;
  beforeAll(async () => {
    own = clientsOf({ url: endpoint.url, credentials: endpoint.functionCredentials });
    await clients.s3.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ["web/production/_cache/page", "web/preview/_cache/page"])
      await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  });
  afterAll(() => own.destroy());

  it("reads and lists what is below an environment's folders, with a key that is not the engine's", async () => {
    const { Body } = await own.s3.send(new GetObjectCommand({ Bucket, Key: "web/production/_cache/page" }));
    expect(await Body?.transformToString()).toBe("web/production/_cache/page");
    const { Contents = [] } = await own.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "web/production/_cache/" }));
    expect(Contents.map(({ Key }) => Key)).toEqual(["web/production/_cache/page"]);
    expect(endpoint.functionCredentials).not.toEqual(endpoint.credentials);
  });

  it("may list nothing else, and hears of a key that is not there what S3 says to who may not list", async () => {
    for (const Prefix of [undefined, "", "web/", "web/production/_cache", "web/production/_releases/"])
      expect(await failureOf(own.s3.send(new ListObjectsV2Command({ Bucket, Prefix })))).toMatchObject({ name: "AccessDenied" });
    const Key = "web/production/_cache/none";
    expect(await failureOf(own.s3.send(new GetObjectCommand({ Bucket, Key })))).toMatchObject({ name: "AccessDenied" });
    expect(await failureOf(clients.s3.send(new GetObjectCommand({ Bucket, Key })))).toMatchObject({ name: "NoSuchKey" });
    // what a site may do with a bucket of its own is not known here
    expect(await failureOf(own.s3.send(new GetObjectCommand({ Bucket: "private", Key })))).toMatchObject({ name: "NoSuchKey" });
  });
});
