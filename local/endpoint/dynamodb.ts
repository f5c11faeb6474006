import { join } from "node:path";
import { ACCOUNT, AwsError, REGION } from "../http.ts";
import { createChangeStreams, type StreamHandler, type StreamView } from "./change-stream.ts";
import { type Answerable, openDynalite, type ReadRequest } from "./dynalite.ts";
import type { Expired, TimeToLive } from "./expiry.ts";
import { asAwsError } from "./fault.ts";
import { openJsonFile } from "./json-file.ts";
import { parseInput } from "./wire.ts";

export type DynamoDb = {
  serve(operation: string, request: ReadRequest, response: Answerable): Promise<void>;
  onStream(table: string, handler: StreamHandler): () => void;
  /** Ends the delivery of changes; writes are still served, because a handler may be in the middle of some. */
  stopStreams(): Promise<void>;
  close(): Promise<void>;
};

/** What dynalite does not remember of a table; kept in `tables.json`. */
type TableExtra = {
  keys?: string[];
  stream?: { view: StreamView; label: string };
  timeToLive?: { AttributeName: string; Enabled: boolean };
};
type Throughput = { ProvisionedThroughput?: { NumberOfDecreasesToday?: number } };
type Description = Record<string, unknown> &
  Throughput & { TableId?: string; TableThroughputModeSummary?: object; GlobalSecondaryIndexes?: Throughput[] };
type Answer = { status: number; body: Record<string, unknown> };

/** AWS removes what has expired within some days; here it is looked for at the start and every minute. */
const SWEEP_MS = 60_000;

/** DynamoDB: dynalite, and beside it what dynalite lacks: streams, and a time to live. */
export async function openDynamoDb(dataDir: string): Promise<DynamoDb> {
  const extras = openJsonFile<Record<string, TableExtra>>(join(dataDir, "tables.json"), {});
  const timeToLiveOf = (table: string): TimeToLive | undefined => {
    const { timeToLive, keys = [] } = extras.value[table] ?? {};
    return timeToLive?.Enabled === true ? { attribute: timeToLive.AttributeName, keys } : undefined;
  };
  const dynalite = await openDynalite(join(dataDir, "dynamodb"), timeToLiveOf);
  const streams = createChangeStreams();
  dynalite.onWrite((table, before, after) => {
    const { stream, keys = [] } = extras.value[table] ?? {};
    if (stream) streams.changed(table, { arn: streamArn(table, stream.label), view: stream.view, keys }, before, after);
  });

  /** The operations that do not go straight to dynalite. */
  const own: Record<string, (input: Input, ask: Ask) => Promise<Answer>> = {
    async CreateTable(input, ask) {
      const answer = await ask("CreateTable", { ...input, StreamSpecification: undefined });
      if (answer.status === 200) {
        const { TableName, KeySchema = [], StreamSpecification: stream } = input;
        const keys = KeySchema.map(({ AttributeName }) => AttributeName);
        const enabled = { view: stream?.StreamViewType ?? "NEW_IMAGE", label: new Date().toISOString().slice(0, -1) };
        extras.value[TableName] = { keys, ...(stream?.StreamEnabled && { stream: enabled }) };
        extras.save();
      }
      return described(answer, "TableDescription");
    },
    async DescribeTable(input, ask) {
      return described(await ask("DescribeTable", input), "Table");
    },
    async DeleteTable(input, ask) {
      const answer = described(await ask("DeleteTable", input), "TableDescription");
      if (answer.status === 200 && extras.value[input.TableName]) {
        delete extras.value[input.TableName];
        extras.save();
      }
      return answer;
    },
    async UpdateTimeToLive(input, ask) {
      const table = await ask("DescribeTable", { TableName: input.TableName });
      if (table.status !== 200 || !input.TimeToLiveSpecification) return table;
      const { timeToLive, ...rest } = extras.value[input.TableName] ?? {};
      extras.value[input.TableName] = { ...rest, timeToLive: input.TimeToLiveSpecification };
      extras.save();
      if (timeToLive?.Enabled !== true) await dynalite.expiry.enter(input.TableName);
      return { status: 200, body: { TimeToLiveSpecification: input.TimeToLiveSpecification } };
    },
    async DescribeTimeToLive(input, ask) {
      const ttl = extras.value[input.TableName]?.timeToLive;
      if (!ttl?.Enabled) return ask("DescribeTimeToLive", input);
      return { status: 200, body: { TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: ttl.AttributeName } } };
    },
    TransactWriteItems: () => refuse("TransactWriteItems"),
    TransactGetItems: () => refuse("TransactGetItems"),
  };

  /** Removes what has expired, as a client would: indexes and streams hear of it. */
  async function sweep(): Promise<void> {
    const now = Math.floor(Date.now() / 1_000);
    for (const table of Object.keys(extras.value)) {
      const timeToLive = timeToLiveOf(table);
      if (timeToLive === undefined) continue;
      for await (const expired of dynalite.expiry.before(table, now)) {
        const { status, body } = await call(dynalite.serve, OWN_REQUEST, "DeleteItem", removal(table, timeToLive, expired, now));
        if (status === 200 || String(body.__type).endsWith("ConditionalCheckFailedException")) await dynalite.expiry.forget(expired);
      }
    }
  }
  await sweep();
  let sweeping = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep).catch((error) => void asAwsError(error));
  }, SWEEP_MS).unref();

  function described(answer: Answer, at: "Table" | "TableDescription"): Answer {
    const table = answer.body[at] as Description | undefined;
    if (answer.status !== 200 || table === undefined) return answer;
    const name = String(table.TableName);
    const stream = extras.value[name]?.stream;
    const shown = stream && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view },
      LatestStreamArn: streamArn(name, stream.label),
      LatestStreamLabel: stream.label,
    };
    return { ...answer, body: { ...answer.body, [at]: { ...asModelled(table), ...shown } } };
  }

  return {
    async serve(operation, request, response) {
      const run = Object.hasOwn(own, operation) ? own[operation] : undefined;
      if (!run) return dynalite.serve(request, response);
      const answer = await run(parseInput(request.body) as Input, (target, input) => call(dynalite.serve, request, target, input));
      response.statusCode = answer.status;
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end(JSON.stringify(answer.body));
    },
    onStream: (table, handler) => streams.subscribe(table, handler),
    stopStreams: () => streams.close(),
    async close() {
      clearInterval(timer);
      await sweeping;
      await dynalite.close();
    },
  };
}

/** A request of this endpoint's own: dynalite looks for the headers of a signature, and not whether it is right. */
const OWN_REQUEST: ReadRequest = {
  method: "POST",
  url: "/",
  headers: {
    host: "dynamodb",
    "content-type": "application/x-amz-json-1.0",
    "x-amz-date": "20260101T000000Z",
    authorization: "AWS4-HMAC-SHA256 Credential=expiry/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=none",
  },
  body: Buffer.alloc(0),
};

/** Unless it was written again meanwhile, with another time. */
const removal = (TableName: string, { attribute }: TimeToLive, { key }: Expired, now: number): object => ({
  TableName,
  Key: key,
  ConditionExpression: "#expires < :now",
  ExpressionAttributeNames: { "#expires": attribute },
  ExpressionAttributeValues: { ":now": { N: String(now) } },
});

type Input = {
  TableName: string;
  KeySchema?: { AttributeName: string }[];
  StreamSpecification?: { StreamEnabled?: boolean; StreamViewType?: StreamView } | undefined;
  TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean };
};
type Ask = (operation: string, input: object) => Promise<Answer>;

/** Asks dynalite in the name of a client's request (it looks for the signature's headers) and gives its parsed answer. */
function call(
  serve: (request: ReadRequest, response: Answerable) => void,
  request: ReadRequest,
  operation: string,
  input: object,
): Promise<Answer> {
  const headers = { ...request.headers, "x-amz-target": `DynamoDB_20120810.${operation}` };
  return new Promise((resolve) => {
    const response = {
      statusCode: 200,
      setHeader: () => response,
      end: (body?: string) => resolve({ status: response.statusCode, body: JSON.parse(body || "{}") as Record<string, unknown> }),
    };
    serve({ ...request, headers, body: Buffer.from(JSON.stringify(input)) }, response as unknown as Answerable);
  });
}

/** dynalite's ids of tables are four digits short; a count of none is left out, and what AWS does not say. */
const asModelled = ({ TableThroughputModeSummary: _, ...table }: Description): Description => ({
  ...withoutNoDecreases(table),
  ...(table.TableId !== undefined && { TableId: table.TableId.padEnd(UUID_LENGTH, "0") }),
  ...(table.GlobalSecondaryIndexes && { GlobalSecondaryIndexes: table.GlobalSecondaryIndexes.map(withoutNoDecreases) }),
});
const UUID_LENGTH = 36;
const withoutNoDecreases = <T extends Throughput>({ ProvisionedThroughput, ...rest }: T): Omit<T, "ProvisionedThroughput"> & Throughput => {
  if (ProvisionedThroughput === undefined) return rest;
  const { NumberOfDecreasesToday, ...units } = ProvisionedThroughput;
  return { ...rest, ProvisionedThroughput: NumberOfDecreasesToday ? ProvisionedThroughput : units };
};

const refuse = (operation: string): Promise<never> =>
  Promise.reject(
    new AwsError(
      "UnsupportedOperationException",
      400,
      `${operation} is not supported locally (dynalite has no transactions): write one item with a condition.`,
    ),
  );

const streamArn = (table: string, label: string): string => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${table}/stream/${label}`;
