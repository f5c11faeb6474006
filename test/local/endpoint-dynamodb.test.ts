import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Endpoint, type StreamRecord, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { type Clients, clientsOf, createTable, eventually, failureOf, newDataDir, removeDataDirs } from "./endpoint-support.ts";

let endpoint: Endpoint;
let clients: Clients;
beforeAll(async () => {
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  clients = clientsOf(endpoint);
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  removeDataDirs();
});

const item = (pk: string, sk: string, text = "") => ({ pk: { S: pk }, sk: { S: sk }, text: { S: text } });
const put = (TableName: string, Item: ReturnType<typeof item>) => clients.dynamodb.send(new PutItemCommand({ TableName, Item }));

function collect(table: string): { records: StreamRecord[]; stop: () => void } {
  const records: StreamRecord[] = [];
  const stop = endpoint.onStream(table, async (batch) => void records.push(...batch));
  return { records, stop };
}
const names = (records: StreamRecord[]) => records.map(({ eventName, dynamodb }) => `${eventName} ${dynamodb.Keys.sk?.S}`);

it("writes once under a condition, reads back and queries", async () => {
  await createTable(clients, "Plain");
  const once = () =>
    clients.dynamodb.send(
      new PutItemCommand({
        TableName: "Plain",
        Item: item("a", "1", "first"),
        ConditionExpression: "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
  await once();
  expect(await failureOf(once())).toMatchObject({ name: "ConditionalCheckFailedException", status: 400 });

  const read = await clients.dynamodb.send(new GetItemCommand({ TableName: "Plain", Key: { pk: { S: "a" }, sk: { S: "1" } } }));
  expect(read.Item).toEqual(item("a", "1", "first"));
  const query = await clients.dynamodb.send(
    new QueryCommand({ TableName: "Plain", KeyConditionExpression: "pk = :a", ExpressionAttributeValues: { ":a": { S: "a" } } }),
  );
  expect(query.Items).toEqual([item("a", "1", "first")]);
});

it("describes a table's stream, with ARNs of the local account", async () => {
  await createTable(clients, "Described", "NEW_IMAGE");
  const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName: "Described" }));
  expect(Table?.TableArn).toBe("arn:aws:dynamodb:eu-west-1:000000000000:table/Described");
  expect(Table?.TableId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(Table?.ProvisionedThroughput).toEqual({ ReadCapacityUnits: 0, WriteCapacityUnits: 0 });
  expect(Table?.StreamSpecification).toEqual({ StreamEnabled: true, StreamViewType: "NEW_IMAGE" });
  expect(Table?.LatestStreamArn).toBe(`${Table?.TableArn}/stream/${Table?.LatestStreamLabel}`);
});

it("gives every kind of write to the stream, in order, in the shape that Lambda gets", async () => {
  await createTable(clients, "Streamed", "NEW_AND_OLD_IMAGES");
  const { records, stop } = collect("Streamed");
  await put("Streamed", item("a", "1", "one"));
  await put("Streamed", item("a", "1", "two"));
  const Key = { pk: { S: "a" }, sk: { S: "1" } };
  await clients.dynamodb.send(
    new UpdateItemCommand({
      TableName: "Streamed",
      Key,
      UpdateExpression: "SET #t = :t",
      ExpressionAttributeNames: { "#t": "text" },
      ExpressionAttributeValues: { ":t": { S: "three" } },
    }),
  );
  await clients.dynamodb.send(new DeleteItemCommand({ TableName: "Streamed", Key }));
  await clients.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { Streamed: [{ PutRequest: { Item: item("a", "2", "b") } }] } }));
  await eventually("five records", () => records.length >= 5);
  stop();

  expect(names(records)).toEqual(["INSERT 1", "MODIFY 1", "MODIFY 1", "REMOVE 1", "INSERT 2"]);
  expect(records[2]).toMatchObject({
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "eu-west-1",
    eventSourceARN: expect.stringMatching(/:table\/Streamed\/stream\//),
    dynamodb: {
      Keys: Key,
      NewImage: item("a", "1", "three"),
      OldImage: item("a", "1", "two"),
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
  });
  const sequence = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
  expect(sequence).toEqual([...new Set(sequence)].sort());
});

it("gives nothing to the stream for a failed condition, an unchanged item or the deletion of nothing", async () => {
  await createTable(clients, "Quiet", "NEW_IMAGE");
  const { records, stop } = collect("Quiet");
  await put("Quiet", item("a", "1", "same"));
  await put("Quiet", item("a", "1", "same"));
  await clients.dynamodb.send(new DeleteItemCommand({ TableName: "Quiet", Key: { pk: { S: "a" }, sk: { S: "none" } } }));
  const refused = new PutItemCommand({ TableName: "Quiet", Item: item("a", "1", "x"), ConditionExpression: "attribute_not_exists(pk)" });
  await failureOf(clients.dynamodb.send(refused));
  await put("Quiet", item("a", "last"));
  await eventually("the last record", () => records.some(({ dynamodb }) => dynamodb.Keys.sk?.S === "last"));
  stop();
  expect(names(records)).toEqual(["INSERT 1", "INSERT last"]);
});

it("repeats a batch whose handler fails, loses nothing, and lets other streams go on", async () => {
  await createTable(clients, "Failing", "NEW_IMAGE");
  await createTable(clients, "Healthy", "NEW_IMAGE");
  const handled: string[] = [];
  let failures = 0;
  let healthy = 0;
  const stopFailing = endpoint.onStream("Failing", async (records) => {
    if (healthy === 0 || failures < 3) {
      failures++;
      throw new Error("on purpose");
    }
    handled.push(...names(records));
  });
  const stopHealthy = endpoint.onStream("Healthy", async (records) => {
    healthy += records.length;
  });
  for (const sk of ["1", "2", "3", "4"]) await put("Failing", item("a", sk));
  await put("Healthy", item("a", "1"));
  await eventually("all records", () => handled.length >= 4);
  stopFailing();
  stopHealthy();
  expect(handled).toEqual(["INSERT 1", "INSERT 2", "INSERT 3", "INSERT 4"]);
  expect(healthy).toBe(1);
});

it("sees the writes of many racers in one order per item, each image following the one before", async () => {
  await createTable(clients, "Raced", "NEW_AND_OLD_IMAGES");
  const { records, stop } = collect("Raced");
  const add = new UpdateItemCommand({
    TableName: "Raced",
    Key: { pk: { S: "a" }, sk: { S: "n" } },
    UpdateExpression: "ADD n :one",
    ExpressionAttributeValues: { ":one": { N: "1" } },
  });
  await Promise.all(Array.from({ length: 40 }, () => clients.dynamodb.send(add)));
  await eventually("forty records", () => records.length >= 40);
  stop();
  expect(records.map(({ dynamodb }) => dynamodb.NewImage?.n?.N)).toEqual(Array.from({ length: 40 }, (_, at) => String(at + 1)));
  expect(records.map(({ dynamodb }) => dynamodb.OldImage?.n?.N)).toEqual([
    undefined,
    ...Array.from({ length: 39 }, (_, at) => String(at + 1)),
  ]);
});

it("remembers a time to live", async () => {
  await createTable(clients, "Timed");
  const TimeToLiveSpecification = { AttributeName: "expires", Enabled: true };
  await clients.dynamodb.send(new UpdateTimeToLiveCommand({ TableName: "Timed", TimeToLiveSpecification }));
  const { TimeToLiveDescription } = await clients.dynamodb.send(new DescribeTimeToLiveCommand({ TableName: "Timed" }));
  expect(TimeToLiveDescription).toEqual({ AttributeName: "expires", TimeToLiveStatus: "ENABLED" });
});

it("removes what has expired, also from before the time to live was switched on, and nothing else", async () => {
  const dataDir = newDataDir();
  const seconds = Math.floor(Date.now() / 1_000);
  const expires = (at: number) => ({ expires: { N: String(at) } });
  const first = await startEndpoint({ dataDir });
  const writer = clientsOf(first);
  await createTable(writer, "Kept");
  const write = (sk: string, more: object) =>
    writer.dynamodb.send(new PutItemCommand({ TableName: "Kept", Item: { ...item("a", sk), ...more } }));
  await write("over, from before", expires(seconds - 60));
  const TimeToLiveSpecification = { AttributeName: "expires", Enabled: true };
  await writer.dynamodb.send(new UpdateTimeToLiveCommand({ TableName: "Kept", TimeToLiveSpecification }));
  await write("over", expires(seconds - 60));
  await write("renewed", expires(seconds - 60));
  await write("renewed", expires(seconds + 3_600));
  await write("later", expires(seconds + 3_600));
  await write("without", {});
  await write("text", { expires: { S: "soon" } });
  writer.destroy();
  await first.close();

  const second = await startEndpoint({ dataDir });
  const reader = clientsOf(second);
  const { Items = [] } = await reader.dynamodb.send(
    new QueryCommand({ TableName: "Kept", KeyConditionExpression: "pk = :a", ExpressionAttributeValues: { ":a": { S: "a" } } }),
  );
  reader.destroy();
  await second.close();
  expect(Items.map(({ sk }) => sk?.S).sort()).toEqual(["later", "renewed", "text", "without"]);
});

it("says that transactions are not supported, and that a table is unknown", async () => {
  const transaction = new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: "Plain", Item: item("t", "1") } }] });
  const refused = await failureOf(clients.dynamodb.send(transaction));
  expect(refused.message).toContain("not supported locally");
  expect(await failureOf(put("Nowhere", item("a", "1")))).toMatchObject({ name: "ResourceNotFoundException", status: 400 });
});

it("counts calls by service and operation", async () => {
  const before = endpoint.counters()["dynamodb.PutItem"] ?? 0;
  await createTable(clients, "Counted");
  await put("Counted", item("a", "1"));
  await put("Counted", item("a", "2"));
  expect(endpoint.counters()["dynamodb.PutItem"]).toBe(before + 2);
});
