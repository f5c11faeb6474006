import { gunzipSync } from "node:zlib";
import { BatchWriteItemCommand, paginateScan } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { EVENTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { dynamodbClient, s3Client } from "../../engine/aws/clients.ts";
import { each } from "../../engine/kit/each.ts";
import { SHARDS } from "../../engine/log/entity.ts";
import { END } from "../../engine/log/log.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { stopwatch } from "./measure.ts";

/**
 * The least that a rebuild can do, in a process of its own: every commit is read and parsed, and the rows that a rebuild wrote are put.
 * Nothing is folded, checked or compared.
 *
 * `node bare-worker.ts <segments|table>`, with the place of the local AWS and its access key in the environment
 */
const [, , from = "segments"] = process.argv;
const BATCH = 25;
const AT_ONCE = 8;
const clients = { dynamodb: dynamodbClient(), s3: s3Client() };

const readSegments = async (): Promise<number> => {
  let commits = 0;
  for await (const { Contents = [] } of paginateListObjectsV2({ client: clients.s3 }, { Bucket: BUCKETS.archive, Prefix: "segments/" }))
    for (const { Key } of Contents) {
      const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: BUCKETS.archive, Key }));
      const bytes = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array());
      // a line at a time: a whole segment of a million commits is no string
      for (let start = 0; start < bytes.length; ) {
        const end = bytes.indexOf(10, start);
        JSON.parse(bytes.toString("utf8", start, end));
        commits += 1;
        start = end + 1;
      }
    }
  return commits;
};

const readTable = async (): Promise<number> => {
  let commits = 0;
  const shards = logShards(clients.dynamodb, EVENTS_TABLE);
  await each([...Array(SHARDS).keys()], SHARDS, async (shard) => {
    for await (const page of shards.read(shard, positionAt(0), END))
      for (const { body } of page) {
        JSON.parse(body);
        commits += 1;
      }
  });
  return commits;
};

const items = (await Array.fromAsync(paginateScan({ client: clients.dynamodb }, { TableName: VIEWS_TABLE }))).flatMap(
  ({ Items = [] }) => Items,
);
const rows = items.filter(({ view }) => view !== undefined);
let commits = 0;
const read = async (): Promise<void> => {
  commits = from === "table" ? await readTable() : await readSegments();
};
const put = async (): Promise<void> => {
  const batches = Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, n) => rows.slice(n * BATCH, (n + 1) * BATCH));
  await each(batches, AT_ONCE, async (batch) => {
    const RequestItems = { [VIEWS_TABLE]: batch.map((Item) => ({ PutRequest: { Item } })) };
    await clients.dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
  });
};
const ms = await stopwatch(() => Promise.all([read(), put()]));
process.send?.({ commits, rows: rows.length, seconds: ms / 1_000 });
for (const client of Object.values(clients)) client.destroy();
process.disconnect?.();
