import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import {
  type Clients,
  clientsOf,
  createQueue,
  failureOf,
  isEmpty,
  newDataDir,
  queueArn,
  removeDataDirs,
  takeMessage,
} from "./endpoint-support.ts";

let endpoint: Endpoint;
let clients: Clients;
const Bucket = "objects";
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  clients = clientsOf(endpoint);
  await clients.s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  removeDataDirs();
});

const put = (Key: string, Body: NonNullable<PutObjectCommandInput["Body"]>, more: Partial<PutObjectCommandInput> = {}) =>
  clients.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, Range?: string) => {
  const answer = await clients.s3.send(new GetObjectCommand({ Bucket, Key, ...(Range && { Range }) }));
  return (await answer.Body?.transformToString()) ?? "";
};
const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("base64");

it("keeps an object with its headers and metadata, and gives ranges of it", async () => {
  await put("dir/a b+ü.txt", "0123456789", {
    ContentType: "text/plain",
    CacheControl: "max-age=1",
    ContentEncoding: "gzip",
    Metadata: { release: "r1" },
  });
  const head = await clients.s3.send(new HeadObjectCommand({ Bucket, Key: "dir/a b+ü.txt" }));
  expect(head).toMatchObject({
    ContentLength: 10,
    ContentType: "text/plain",
    CacheControl: "max-age=1",
    ContentEncoding: "gzip",
    Metadata: { release: "r1" },
  });
  expect(await get("dir/a b+ü.txt", "bytes=2-4")).toBe("234");
});

it("keeps an empty object, and one of a content type that other services use", async () => {
  await put("empty", "");
  await put("a.json", "{}", { ContentType: "application/json" });
  await put("form", "a=1", { ContentType: "application/x-www-form-urlencoded" });
  expect([await get("empty"), await get("a.json"), await get("form")]).toEqual(["", "{}", "a=1"]);
});

it("lets exactly one of many racers create a key, and no later one", async () => {
  const race = Array.from({ length: 12 }, (_, at) =>
    put("raced", `racer ${at}`, { IfNoneMatch: "*" }).then(
      () => `racer ${at}`,
      (error: Error) => error.name,
    ),
  );
  const outcomes = await Promise.all(race);
  const winners = outcomes.filter((outcome) => outcome.startsWith("racer"));
  expect(winners).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "PreconditionFailed")).toHaveLength(11);
  expect(await get("raced")).toBe(winners[0]);
  expect(await failureOf(put("raced", "late", { IfNoneMatch: "*" }))).toMatchObject({ name: "PreconditionFailed", status: 412 });
});

it("replaces an object only where If-Match names what is there", async () => {
  const { ETag } = await put("matched", "one");
  await put("matched", "two", { IfMatch: ETag });
  expect(await failureOf(put("matched", "three", { IfMatch: ETag }))).toMatchObject({ name: "PreconditionFailed", status: 412 });
  expect(await get("matched")).toBe("two");
});

it("refuses a body that is not what its checksum says", async () => {
  expect(await failureOf(put("bad", "actual", { ChecksumSHA256: sha256("claimed") }))).toMatchObject({ name: "BadDigest", status: 400 });
  const md5 = createHash("md5").update("claimed").digest("base64");
  expect(await failureOf(put("bad", "actual", { ContentMD5: md5 }))).toMatchObject({ name: "BadDigest", status: 400 });
  await put("good", "actual", { ChecksumSHA256: sha256("actual") });
  expect(await failureOf(get("bad"))).toMatchObject({ name: "NoSuchKey", status: 404 });
  expect(await get("good")).toBe("actual");
});

it("stores a streamed body decoded, with the coding beside aws-chunked kept", async () => {
  const data = randomBytes(200_000);
  const chunks = [data.subarray(0, 70_000), data.subarray(70_000)];
  await put("streamed", Readable.from(chunks), { ContentLength: data.length, ContentEncoding: "br", ChecksumAlgorithm: "SHA256" });
  const answer = await clients.s3.send(new GetObjectCommand({ Bucket, Key: "streamed" }));
  expect(sha256(Buffer.from((await answer.Body?.transformToByteArray()) ?? []))).toBe(sha256(data));
  expect(answer.ContentEncoding).toBe("br");
});

it("puts a multipart upload together, and not over a key that exists when told so", async () => {
  const upload = async (IfNoneMatch?: string) => {
    const { UploadId } = await clients.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
    const parts = [randomBytes(5 * 1024 * 1024), Buffer.from("tail")];
    const Parts = [];
    for (const [at, Body] of parts.entries()) {
      const part = { Bucket, Key: "parts", UploadId, PartNumber: at + 1 };
      const { ETag } = await clients.s3.send(new UploadPartCommand({ ...part, Body }));
      Parts.push({ ETag, PartNumber: at + 1 });
    }
    const complete = { Bucket, Key: "parts", UploadId, MultipartUpload: { Parts }, ...(IfNoneMatch && { IfNoneMatch }) };
    await clients.s3.send(new CompleteMultipartUploadCommand(complete));
  };
  await upload("*");
  const { ContentLength } = await clients.s3.send(new HeadObjectCommand({ Bucket, Key: "parts" }));
  expect(ContentLength).toBe(5 * 1024 * 1024 + 4);
  expect(await failureOf(upload("*"))).toMatchObject({ name: "PreconditionFailed", status: 412 });
});

it("copies an object with new metadata", async () => {
  await put("source", "body", { Metadata: { a: "1" }, CacheControl: "no-cache" });
  const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/source`, MetadataDirective: "REPLACE" as const, Metadata: { b: "2" } };
  await clients.s3.send(new CopyObjectCommand({ ...copy, CacheControl: "max-age=9", ContentType: "text/css" }));
  const head = await clients.s3.send(new HeadObjectCommand({ Bucket, Key: "copy" }));
  expect(head).toMatchObject({ Metadata: { b: "2" }, CacheControl: "max-age=9", ContentType: "text/css" });
  expect(await get("copy")).toBe("body");
});

it("refuses a copy of nothing, of an object onto itself unchanged, and what it would leave out of a copy", async () => {
  await put("here", "body");
  const copy = (more: Partial<CopyObjectCommandInput>) =>
    failureOf(clients.s3.send(new CopyObjectCommand({ Bucket, Key: "there", CopySource: `${Bucket}/here`, ...more })));
  expect(await copy({ CopySource: `${Bucket}/gone` })).toMatchObject({ name: "NoSuchKey", status: 404 });
  expect(await copy({ CopySource: "no-such-bucket/here" })).toMatchObject({ name: "NoSuchBucket", status: 404 });
  expect(await copy({ Key: "here" })).toMatchObject({ name: "InvalidRequest", status: 400 });
  expect(await copy({ CopySource: `${Bucket}/100%` })).toMatchObject({ name: "InvalidArgument", status: 400 });
  expect(await copy({ MetadataDirective: "KEEP" as "COPY" })).toMatchObject({ name: "InvalidArgument", status: 400 });
  expect(await copy({ IfNoneMatch: "*", Key: "here", MetadataDirective: "REPLACE" })).toMatchObject({ name: "PreconditionFailed" });
  for (const more of [{ CopySourceIfMatch: '"1"' }, { TaggingDirective: "REPLACE", Tagging: "a=b" } as const])
    expect(await copy(more)).toMatchObject({ name: "NotImplemented", status: 501 });
  await clients.s3.send(new CopyObjectCommand({ Bucket, Key: "here", CopySource: `${Bucket}/here`, MetadataDirective: "REPLACE" }));
  expect(await get("here")).toBe("body");
});

it("lists keys in the order of their bytes, page by page, without losing one", async () => {
  const keys = ["list/B", "list/Z", "list/_x", "list/a", "list/b", "list/sub/1", "list/sub/2", "list/é"];
  for (const key of keys) await put(key, "x");
  const found: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await clients.s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: "list/", MaxKeys: 2, ...(ContinuationToken && { ContinuationToken }) }),
    );
    found.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  expect(found).toEqual(keys);
  const folders = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "list/", Delimiter: "/" }));
  expect(folders.CommonPrefixes).toEqual([{ Prefix: "list/sub/" }]);
});

it("deletes one object, and several at once", async () => {
  for (const key of ["d1", "d2", "d3 &<"]) await put(key, "x");
  await clients.s3.send(new DeleteObjectCommand({ Bucket, Key: "d1" }));
  await clients.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "d2" }, { Key: "d3 &<" }] } }));
  const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "d" }));
  expect(Contents.map(({ Key }) => Key).filter((key) => key?.startsWith("d1") || key?.startsWith("d2") || key?.startsWith("d3"))).toEqual(
    [],
  );
});

it("serves presigned URLs for PUT and GET", async () => {
  const url = await getSignedUrl(clients.s3, new PutObjectCommand({ Bucket, Key: "presigned", ContentType: "text/plain" }));
  expect((await fetch(url, { method: "PUT", body: "by url", headers: { "content-type": "text/plain" } })).status).toBe(200);
  const read = await fetch(await getSignedUrl(clients.s3, new GetObjectCommand({ Bucket, Key: "presigned" })));
  expect(await read.text()).toBe("by url");
});

it("refuses what it does not have instead of answering something else", async () => {
  expect(await failureOf(clients.s3.send(new GetBucketVersioningCommand({ Bucket })))).toMatchObject({
    name: "NotImplemented",
    status: 501,
  });
});

it("answers QueueUrls of its own host and port, and takes those of another", async () => {
  const url = await createQueue(clients, "urls");
  expect(url).toBe(`${endpoint.url}/000000000000/urls`);
  expect((await clients.sqs.send(new GetQueueUrlCommand({ QueueName: "urls" }))).QueueUrl).toBe(url);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: "http://127.0.0.1:1/000000000000/urls", MessageBody: "x" }));
  expect((await takeMessage(clients, url)).Body).toBe("x");
});

it("gives a queue the ARN of the local account and region, whatever region the client signs for", async () => {
  const QueueUrl = await createQueue(clients, "arns", { VisibilityTimeout: "60" });
  const { Attributes } = await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  expect(Attributes).toMatchObject({ QueueArn: queueArn("arns"), VisibilityTimeout: "60" });
});

it("names an unknown queue as the SDK does", async () => {
  expect((await failureOf(clients.sqs.send(new GetQueueUrlCommand({ QueueName: "none" })))).name).toBe("QueueDoesNotExist");
  const send = new SendMessageCommand({ QueueUrl: `${endpoint.url}/000000000000/none`, MessageBody: "x" });
  expect((await failureOf(clients.sqs.send(send))).name).toBe("QueueDoesNotExist");
});

it("refuses a delay of more than a quarter of an hour, of one message of a batch too", async () => {
  const QueueUrl = await createQueue(clients, "delayed");
  const late = new SendMessageCommand({ QueueUrl, MessageBody: "late", DelaySeconds: 901 });
  expect(await failureOf(clients.sqs.send(late))).toMatchObject({ name: "InvalidParameterValue", status: 400 });
  const Entries = [
    { Id: "now", MessageBody: "now" },
    { Id: "late", MessageBody: "late", DelaySeconds: 901 },
  ];
  const { Successful, Failed } = await clients.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  expect([Successful?.map(({ Id }) => Id), Failed?.map(({ Id, Code }) => [Id, Code])]).toEqual([
    ["now"],
    [["late", "InvalidParameterValue"]],
  ]);
  expect((await takeMessage(clients, QueueUrl)).Body).toBe("now");
  const none = await clients.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: Entries.slice(1) }));
  expect(none.Failed?.map(({ Id }) => Id)).toEqual(["late"]);
  expect(await isEmpty(clients, QueueUrl)).toBe(true);
});

it("refuses a receipt handle that it never gave out, or gave out for another queue, and takes that of a message which is gone", async () => {
  const QueueUrl = await createQueue(clients, "handles");
  const other = await createQueue(clients, "other-handles");
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
  const { Messages: [message] = [] } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  const ReceiptHandle = message?.ReceiptHandle ?? "";
  const refused = { name: "ReceiptHandleIsInvalid", status: 400 };
  const remove = (given: { QueueUrl: string; ReceiptHandle: string }) => clients.sqs.send(new DeleteMessageCommand(given));
  expect(await failureOf(remove({ QueueUrl, ReceiptHandle: "bad" }))).toMatchObject(refused);
  expect(await failureOf(remove({ QueueUrl: other, ReceiptHandle }))).toMatchObject(refused);
  const hide = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: `${ReceiptHandle}x`, VisibilityTimeout: 1 });
  expect(await failureOf(clients.sqs.send(hide))).toMatchObject(refused);
  const Entries = [
    { Id: "bad", ReceiptHandle: "bad" },
    { Id: "good", ReceiptHandle },
  ];
  const { Successful, Failed } = await clients.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  expect([Successful?.map(({ Id }) => Id), Failed?.map(({ Id, Code }) => [Id, Code])]).toEqual([
    ["good"],
    [["bad", "ReceiptHandleIsInvalid"]],
  ]);
  await remove({ QueueUrl, ReceiptHandle });
});

it("wakes a long poll when a message comes, with every character intact", async () => {
  const QueueUrl = await createQueue(clients, "polled");
  const waiting = takeMessage(clients, QueueUrl);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "ship it 🚀 <é>" }));
  expect((await waiting).Body).toBe("ship it 🚀 <é>");
});

it("moves a message to the dead-letter queue after it was received too often", async () => {
  const dead = await createQueue(clients, "work-dlq");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn("work-dlq"), maxReceiveCount: 2 });
  const QueueUrl = await createQueue(clients, "work", { RedrivePolicy });
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "poison" }));
  for (let count = 1; count <= 2; count++) {
    const { Messages } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["All"] }));
    expect(Messages?.[0]?.Attributes?.ApproximateReceiveCount).toBe(String(count));
    const again = { QueueUrl, ReceiptHandle: Messages?.[0]?.ReceiptHandle, VisibilityTimeout: 0 };
    await clients.sqs.send(new ChangeMessageVisibilityCommand(again));
  }
  expect((await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();
  expect((await takeMessage(clients, dead)).Body).toBe("poison");
});

it("keeps the order of a FIFO group, drops a duplicate, and blocks only that group", async () => {
  const QueueUrl = await createQueue(clients, "ordered.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
  const entry = (Id: string, MessageGroupId: string, MessageBody = Id) => ({ Id, MessageGroupId, MessageBody });
  const Entries = [entry("a1", "a"), entry("a2", "a"), entry("again", "a", "a1"), entry("b1", "b")];
  await clients.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  const first = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1 }));
  expect(first.Messages?.[0]?.Body).toBe("a1");
  expect((await takeMessage(clients, QueueUrl)).Body).toBe("b1");
  const ReceiptHandle = first.Messages?.[0]?.ReceiptHandle;
  await clients.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  expect([(await takeMessage(clients, QueueUrl)).Body, (await takeMessage(clients, QueueUrl)).Body]).toEqual(["a1", "a2"]);
});
