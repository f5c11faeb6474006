import type { Clients } from "../../../engine/aws/clients.ts";
import { runPython } from "./python.ts";

/** A request as an AWS client serialises it: after a document client has written its types, before it is JSON or XML. */
export type Request = {
  readonly by: string;
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
};

/** botocore's names. */
const SERVICES: Readonly<Record<string, string>> = {
  CloudFrontClient: "cloudfront",
  CloudFrontKeyValueStoreClient: "cloudfront-keyvaluestore",
  CloudWatchLogsClient: "logs",
  CodeBuildClient: "codebuild",
  DynamoDBClient: "dynamodb",
  DynamoDBDocumentClient: "dynamodb",
  EventBridgeClient: "events",
  KMSClient: "kms",
  LambdaClient: "lambda",
  S3Client: "s3",
  SQSClient: "sqs",
  SecretsManagerClient: "secretsmanager",
  ServiceQuotasClient: "service-quotas",
};

type Step = (next: (args: { input: object }) => Promise<unknown>, context: { clientName?: string; commandName?: string }) => unknown;

type Recorded = Partial<Clients> & Readonly<Record<string, unknown>>;

/** Tells each request of some clients, waiters' and paginators' too. */
export const recordRequests = (by: string, clients: Recorded, say: (request: Request) => void): void => {
  const step: Step =
    (next, { clientName = "", commandName = "" }) =>
    (args: { input: object }) => {
      const service = SERVICES[clientName];
      if (service === undefined) throw new Error(`nobody knows what ${clientName} is: add it to test/witness/support/requests.ts`);
      say({ by, service, operation: operationOf(clientName, commandName), input: plain(args.input) as Request["input"] });
      return next(args);
    };
  for (const client of Object.values(clients))
    if (typeof client === "object" && client !== null)
      (client as { middlewareStack: { add(step: Step, options: object): void } }).middlewareStack.add(step, {
        step: "build",
        name: "recordRequests",
        priority: "high",
      });
};

/** A document client's "PutCommand" is PutItem. */
const operationOf = (client: string, command: string): string => {
  const name = command.replace(/Command$/, "");
  return client === "DynamoDBDocumentClient" && /^(Get|Put|Delete|Update|BatchGet|BatchWrite)$/.test(name) ? `${name}Item` : name;
};

/** What JSON has words for. Of bytes the number is kept: they are files and signatures. */
const plain = (value: unknown): unknown => {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return { $bytes: value.byteLength };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (Array.isArray(value)) return value.map(plain);
  if ("pipe" in value || "getReader" in value) return { $bytes: 1 };
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, plain(inner)]])));
};

export type Checked = {
  readonly requests: number;
  /** how many of each, by "service:Operation" */
  readonly operations: Readonly<Record<string, number>>;
  /** enumerations, patterns and bounds that were looked at */
  readonly looked: number;
  /** patterns that Python cannot read */
  readonly unreadable: readonly string[];
  readonly problems: readonly string[];
};

/** What AWS's own models have against requests. They go through a pipe: there are secrets among them. */
export const checkRequests = (requests: readonly Request[]): Promise<Checked> =>
  runPython<Checked>("check_requests.py", [], requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
