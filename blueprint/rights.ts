import type { EngineFunctionName } from "./engine-functions.ts";
import { functionNames, functionOf, type Site, siteResources } from "./sites.ts";
import { type BucketKey, buckets } from "./stores.ts";
import { BUS, type Consumer, consumers, deadLetterName, EVENTS_TABLE, queueName, VIEWS_TABLE } from "./topology.ts";

/**
 * What each function may do: exactly what its adapters call, and nothing else. Resources are ARNs with `{partition}`,
 * `{region}` and `{account}` left open, and `{sealKey}` and `{distributions}` for what has no name of its own.
 */
export type Right = { readonly actions: readonly string[]; readonly on: readonly string[] };

type Sites = readonly Pick<Site, "name" | "environments" | "functions">[];

const arn = (service: string, resource: string): string => `arn:{partition}:${service}:{region}:{account}:${resource}`;
const may = (actions: readonly string[], ...on: readonly string[]): Right => ({ actions, on });

export const bucketName = (bucket: BucketKey): string => `${buckets[bucket].name}-{account}-{region}`;
/** The name of a bucket in an account and a region. */
export const bucketNameIn = (bucket: BucketKey, account: string, region: string): string =>
  bucketName(bucket).replace("{account}", account).replace("{region}", region);
const bucket = (name: BucketKey): string => `arn:{partition}:s3:::${bucketName(name)}`;
const objects = (name: BucketKey, path: string): string => `${bucket(name)}/${path}`;
// without the right to list, S3 answers 403 instead of 404 for a key that is not there
const list = (name: BucketKey): Right => may(["s3:ListBucket"], bucket(name));

const table = (name: string): string => arn("dynamodb", `table/${name}`);
const queue = (name: string): string => arn("sqs", name);

const environments = (sites: Sites) =>
  sites.flatMap((site) => site.environments.map((environment) => siteResources(site.name, environment.name)));
const functionsOf = (sites: Sites): string[] =>
  sites.flatMap((site) =>
    site.environments.flatMap(({ name }) => functionNames(site.name, name, site).map((one) => arn("lambda", `function:${one}`))),
  );
/** Of split functions that are declared no more the aliases may be asked for: that they are gone must be an answer, and no refusal. */
const splitOnce = (sites: Sites): string[] =>
  sites.flatMap((site) => site.environments.map(({ name }) => arn("lambda", `function:${functionOf(site.name, name, "server-*")}`)));
const projectsOf = (sites: Sites): string[] => sites.map(({ name }) => arn("codebuild", `project/${siteResources(name, "any").project}`));

const siteDeadLetters = (sites: Sites): string[] =>
  environments(sites).map(({ revalidationDeadLetters }) => queue(revalidationDeadLetters));

const readEvents = may(["dynamodb:Query", "dynamodb:GetItem"], table(EVENTS_TABLE));
const events = may(["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"], table(EVENTS_TABLE), `${table(EVENTS_TABLE)}/index/log`);
// the days of what an older release wrote are looked for in the whole table, once
const log = may(["dynamodb:Query", "dynamodb:Scan"], table(EVENTS_TABLE), `${table(EVENTS_TABLE)}/index/log`);
/** What is noted of seals. */
const sealNotes = may(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE));
const readViews = may(["dynamodb:GetItem", "dynamodb:Query"], table(VIEWS_TABLE), `${table(VIEWS_TABLE)}/index/*`);
const relayed = may(["dynamodb:GetItem", "dynamodb:PutItem"], table(VIEWS_TABLE));
const publish = may(["events:PutEvents"], arn("events", `event-bus/${BUS}`));

/** the URL and signing secrets of each webhook endpoint */
const webhookSecrets = arn("secretsmanager", "secret:shiplog/webhooks/*");

/** What Lambda itself and the consumer's redelivery do with its queue and its dead letters: none may send to itself. */
const mailbox = (name: string): Right[] => [
  may(
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ChangeMessageVisibility"],
    queue(queueName(name)),
  ),
  may(["sqs:GetQueueUrl", "sqs:SendMessage"], queue(deadLetterName(name))),
];

const buildLogs = (sites: Sites): Right =>
  may(
    ["logs:GetLogEvents"],
    ...sites.map(({ name }) => arn("logs", `log-group:/aws/codebuild/${siteResources(name, "any").project}:log-stream:*`)),
  );
/** Consumers whose messages may wait for a time of their own. */
const waits = ["start-build", "deliver"] as const;
const send = (consumer: string): Right => may(["sqs:GetQueueUrl", "sqs:SendMessage"], queue(queueName(consumer)));

/** What a function may do, besides writing its own log: a consumer that says nothing of it takes its messages, and reads and appends to the log. */
export const rightsOf = (name: EngineFunctionName, sites: Sites): readonly Right[] => rights[name]?.(sites) ?? [...mailbox(name), events];

const rights: Partial<Record<EngineFunctionName, (sites: Sites) => readonly Right[]>> = {
  "start-build": (sites) => [
    ...mailbox("start-build"),
    events,
    // a build that waits for room
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    may(
      ["codebuild:StartBuild", "codebuild:StopBuild", "codebuild:ListBuildsForProject", "codebuild:BatchGetBuilds"],
      ...projectsOf(sites),
    ),
  ],
  "stop-build": (sites) => [
    ...mailbox("stop-build"),
    events,
    may(["codebuild:StopBuild"], ...projectsOf(sites)),
    // a build that waits for room and is cancelled
    may(["dynamodb:GetItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    send("start-build"),
  ],
  "watch-build": (sites) => [
    ...mailbox("watch-build"),
    events,
    may(["codebuild:BatchGetBuilds"], ...projectsOf(sites)),
    // the error of a build that failed
    buildLogs(sites),
  ],
  "publish-release": (sites) => [
    ...mailbox("publish-release"),
    events,
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    may(
      [
        "lambda:GetFunctionConfiguration",
        "lambda:ListVersionsByFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:PublishVersion",
      ],
      ...functionsOf(sites),
    ),
    // of versions that are not live yet: they are asked before they may be
    may(["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], ...functionsOf(sites).map((name) => `${name}:*`)),
    list("artifacts"),
    may(["s3:GetObject"], objects("artifacts", "builds/*")),
    may(["s3:GetObject", "s3:PutObject"], objects("artifacts", "functions/*")),
    list("static"),
    may(
      ["s3:GetObject", "s3:PutObject"],
      ...environments(sites).flatMap(({ assets, cache, releases, publicFiles }) =>
        [assets, cache, releases, publicFiles].map((prefix) => objects("static", `${prefix}/*`)),
      ),
    ),
    may(["dynamodb:BatchWriteItem"], ...environments(sites).map(({ tagTable }) => table(tagTable))),
    may(["secretsmanager:GetSecretValue"], ...environments(sites).map(({ secret }) => arn("secretsmanager", `secret:${secret}-??????`))),
  ],
  "flip-alias": (sites) => [
    ...mailbox("flip-alias"),
    events,
    may(["lambda:GetAlias", "lambda:UpdateAlias"], ...functionsOf(sites), ...functionsOf(sites).map((name) => `${name}:live`)),
    may(["lambda:GetAlias"], ...splitOnce(sites)),
    // each version is asked before it is live, and through the alias once it is
    may(["lambda:InvokeFunction"], ...functionsOf(sites).map((name) => `${name}:*`)),
    list("static"),
    may(
      ["s3:GetObject"],
      ...environments(sites).flatMap(({ releases, publicFiles }) =>
        [releases, publicFiles].map((prefix) => objects("static", `${prefix}/*`)),
      ),
    ),
    may(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], ...environments(sites).map(({ assets }) => objects("static", `${assets}/*`))),
    // the lease of who puts public files, and the notes of whose are not settled
    may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
  ],
  "refresh-edge": () => [...mailbox("refresh-edge"), events, may(["cloudfront:CreateInvalidation"], "{distributions}")],
  notify: (sites) => [
    ...mailbox("notify"),
    readEvents,
    readViews,
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    send("deliver"),
    // the error of a build that failed
    buildLogs(sites),
  ],
  deliver: () => [
    ...mailbox("deliver"),
    events,
    may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    may(["secretsmanager:GetSecretValue"], webhookSecrets),
  ],
  project: () => [...mailbox("project"), readEvents, relayed],
  reconcile: (sites) => [
    events,
    log,
    readViews,
    relayed,
    // notes of streams whose row is there
    may(["dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    publish,
    may(["codebuild:ListBuildsForProject", "codebuild:BatchGetBuilds", "codebuild:StopBuild"], ...projectsOf(sites)),
    send("watch-build"),
    may(["lambda:GetAlias"], ...functionsOf(sites), ...functionsOf(sites).map((name) => `${name}:live`), ...splitOnce(sites)),
    // AWS knows no resource for it
    may(["lambda:GetAccountSettings"], "*"),
  ],
  wake: () => [may(["dynamodb:Query", "dynamodb:DeleteItem"], table(VIEWS_TABLE), `${table(VIEWS_TABLE)}/index/gsi1`), ...waits.map(send)],
  seal: () => [
    log,
    sealNotes,
    list("archive"),
    may(["s3:GetObject", "s3:PutObject"], objects("archive", "seals/*"), objects("archive", "segments/*")),
    may(["kms:Sign", "kms:GetPublicKey"], "{sealKey}"),
  ],
  relay: () => [
    readEvents,
    may(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], `${table(EVENTS_TABLE)}/stream/*`),
    // AWS knows no narrower resource for it than every stream of the table
    may(["dynamodb:ListStreams"], `${table(EVENTS_TABLE)}/stream/*`),
    relayed,
    publish,
    list("artifacts"),
    may(["s3:PutObject"], objects("artifacts", "aws/lambda/*")),
  ],
  api: (sites) => [
    events,
    log,
    readViews,
    // deliveries that a person asks for, and what is noted of a seal on demand
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    sealNotes,
    send("deliver"),
    may(
      ["secretsmanager:CreateSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"],
      webhookSecrets,
    ),
    list("sources"),
    may(["s3:GetObject", "s3:PutObject"], objects("sources", "sources/*")),
    may(["codebuild:BatchGetBuilds"], ...projectsOf(sites)),
    buildLogs(sites),
    may(
      ["sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"],
      ...(consumers as readonly Consumer[]).map(({ name }) => queue(deadLetterName(name))),
      ...siteDeadLetters(sites),
    ),
    // a person empties them: what OpenNext cannot confirm, it cannot confirm the next time either
    may(["sqs:GetQueueAttributes", "sqs:PurgeQueue"], ...siteDeadLetters(sites)),
    list("archive"),
    may(["s3:GetObject", "s3:PutObject"], objects("archive", "seals/*"), objects("archive", "segments/*")),
    may(["kms:Sign", "kms:GetPublicKey"], "{sealKey}"),
  ],
};
