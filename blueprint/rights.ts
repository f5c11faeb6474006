import { PUBLIC_SETS } from "./edge-table.ts";
import type { EngineFunctionName } from "./engine-functions.ts";
import { formerProject, functionNames, functionOf, rolesWithUrl, siteResources } from "./site-resources.ts";
import { type BucketKey, buckets } from "./stores.ts";
import {
  BUS,
  type Consumer,
  consumers,
  deadLetterName,
  EVENTS_TABLE,
  PEOPLE_TABLE,
  queueName,
  SNAPSHOTS_TABLE,
  VIEWS_TABLE,
  webhookSecret,
} from "./topology.ts";

/**
 * What each function may do: exactly what its adapters call, and nothing else. Resources are ARNs with `{partition}`,
 * `{region}`, `{account}`, `{app}` and `{stage}` left open, and `{sealKey}` and `{edgeTables}` for what has no name of its own.
 * What belongs to sites is named by the pattern of its names, or by its tags, so that nothing of the engine's grows with them
 * but the list of tables, by one for every 90 environments.
 */
export type Right = {
  readonly actions: readonly string[];
  readonly on: readonly string[];
  /** an IAM condition: operator, key, value */
  readonly when?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** takes it away, whatever else allows it */
  readonly denied?: true;
};

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

/** Names as every site and environment has them; the engine's own names fit none of these patterns (`occupied-names.ts`). */
const every = siteResources("*", "*");
const functionsOfSites = functionNames("*", "*", { functions: { "*": [] } }).map((name) => arn("lambda", `function:${name}`));
/** Builds of an older engine too, whose projects had no environment in their names. */
const everyProject = formerProject("*");
const projectsOfSites = arn("codebuild", `project/${everyProject}`);
const siteDeadLetters = queue(every.revalidationDeadLetters);
/** Functions, whichever version or alias is asked for. */
const qualified = (qualifier: string): string[] => functionsOfSites.map((name) => `${name}:${qualifier}`);
/**
 * The addresses of releases: aliases `r-<number>` of what visitors reach, with a URL each. AWS's reference names the function
 * alone as what these actions act on, and its guide an alias by its own ARN where a request says which: both are allowed.
 */
const addresses = rolesWithUrl({ functions: { "*": [] } })
  .map((role) => arn("lambda", `function:${functionOf("*", "*", role)}`))
  .flatMap((name) => [name, `${name}:r-*`]);
const readAddresses = may(["lambda:GetAlias", "lambda:GetFunctionUrlConfig"], ...addresses);
const makeAddresses = may(
  [
    ...["lambda:CreateAlias", "lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"],
    // what is there already and what is being changed have one error: the policy says which
    ...["lambda:AddPermission", "lambda:GetPolicy"],
  ],
  ...addresses,
);
const removing = ["lambda:DeleteAlias", "lambda:DeleteFunctionUrlConfig"];
const removeAddresses: readonly Right[] = [
  may(removing, ...addresses),
  // patterns of split functions fit what is live as well
  { ...may(removing, ...qualified(every.alias)), denied: true },
];

/** Rows of the edges' tables, which nobody lists: who looks knows the keys. AWS knows no condition for them. */
const looking = ["cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:GetKey"];
const readEdgeTables = may(looking, "{edgeTables}");
const edgeTables = may([...looking, "cloudfront-keyvaluestore:UpdateKeys"], "{edgeTables}");

const readEvents = may(["dynamodb:Query", "dynamodb:GetItem"], table(EVENTS_TABLE));
/** To read and append, and what keeps that as cheap as what is new. */
const events: readonly Right[] = [
  may(["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"], table(EVENTS_TABLE), `${table(EVENTS_TABLE)}/index/log`),
  may(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:BatchWriteItem"], table(SNAPSHOTS_TABLE)),
];
// the days of what an older release wrote are looked for in the whole table, once
const log = may(["dynamodb:Query", "dynamodb:Scan"], table(EVENTS_TABLE), `${table(EVENTS_TABLE)}/index/log`);
/** What is noted of seals. */
const sealNotes = may(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE));
const readViews = may(["dynamodb:GetItem", "dynamodb:Query"], table(VIEWS_TABLE), `${table(VIEWS_TABLE)}/index/*`);
const relayed = may(["dynamodb:GetItem", "dynamodb:PutItem"], table(VIEWS_TABLE));
const publish = may(["events:PutEvents"], arn("events", `event-bus/${BUS}`));

/** the URL and signing secrets of each webhook endpoint */
const webhookSecrets = arn("secretsmanager", `secret:${webhookSecret("*")}`);

/** The values of any environment's variables. The pattern fits the secrets of webhooks as well, whose are not for these. */
const valuesOfSites: readonly Right[] = [
  may(["secretsmanager:GetSecretValue"], arn("secretsmanager", `secret:${every.secret}-??????`)),
  { ...may(["secretsmanager:GetSecretValue"], webhookSecrets), denied: true },
];

/** What Lambda itself and the consumer's redelivery do with its queue and its dead letters: none may send to itself. */
const mailbox = (name: string): Right[] => [
  may(
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ChangeMessageVisibility"],
    queue(queueName(name)),
  ),
  may(["sqs:GetQueueUrl", "sqs:SendMessage"], queue(deadLetterName(name))),
];

const buildLogs = may(["logs:GetLogEvents"], arn("logs", `log-group:/aws/codebuild/${everyProject}:log-stream:*`));
/** Consumers whose messages may wait for a time of their own. */
const waits = ["start-build", "deliver"] as const;
const send = (consumer: string): Right => may(["sqs:GetQueueUrl", "sqs:SendMessage"], queue(queueName(consumer)));

/** What a function may do, besides writing its own log: a consumer that says nothing of it takes its messages, and reads and appends to the log. */
export const rightsOf = (name: EngineFunctionName): readonly Right[] => rights[name] ?? [...mailbox(name), ...events];

const rights: Partial<Record<EngineFunctionName, readonly Right[]>> = {
  "start-build": [
    ...mailbox("start-build"),
    ...events,
    // whether every variable has a value
    ...valuesOfSites,
    // a build that waits for room
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    may(["codebuild:StartBuild", "codebuild:StopBuild", "codebuild:ListBuildsForProject", "codebuild:BatchGetBuilds"], projectsOfSites),
  ],
  "stop-build": [
    ...mailbox("stop-build"),
    ...events,
    may(["codebuild:StopBuild"], projectsOfSites),
    // a build that waits for room and is cancelled
    may(["dynamodb:GetItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    send("start-build"),
  ],
  "watch-build": [
    ...mailbox("watch-build"),
    ...events,
    may(["codebuild:BatchGetBuilds"], projectsOfSites),
    // the error of a build that failed
    buildLogs,
  ],
  "publish-release": [
    ...mailbox("publish-release"),
    ...events,
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    may(
      [
        "lambda:GetFunctionConfiguration",
        "lambda:ListVersionsByFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:PublishVersion",
      ],
      ...functionsOfSites,
    ),
    // of versions that are not live yet: they are asked before they may be
    may(["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], ...qualified("*")),
    readAddresses,
    makeAddresses,
    // the paths of its public files
    edgeTables,
    list("artifacts"),
    may(["s3:GetObject"], objects("artifacts", "builds/*")),
    may(["s3:GetObject", "s3:PutObject"], objects("artifacts", "functions/*")),
    list("static"),
    may(
      ["s3:GetObject", "s3:PutObject"],
      ...[every.assets, every.cache, every.releases, every.publicFiles].map((folder) => objects("static", `${folder}/*`)),
    ),
    may(["dynamodb:BatchWriteItem"], table(every.tagTable)),
    ...valuesOfSites,
  ],
  "flip-alias": [
    ...mailbox("flip-alias"),
    ...events,
    may(["lambda:GetAlias", "lambda:UpdateAlias"], ...functionsOfSites, ...qualified(every.alias)),
    // each version is asked before it is live, and through the alias once it is; where there is no room for that, looked up
    may(["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], ...qualified("*")),
    // a release's address that is gone is made again
    readAddresses,
    makeAddresses,
    edgeTables,
    list("static"),
    may(["s3:GetObject"], ...[every.releases, every.publicFiles].map((folder) => objects("static", `${folder}/*`))),
    // what an older engine published has its public files and its build's manifests elsewhere, until it goes live again
    may(
      ["s3:GetObject", "s3:PutObject"],
      ...[`${PUBLIC_SETS}/*`, "*_next/static/dep_*/*"].map((below) => objects("static", `${every.assets}/${below}`)),
    ),
    // how its tries ended
    may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
  ],
  "end-release": [...mailbox("end-release"), ...events, edgeTables, ...removeAddresses],
  sweep: [
    ...mailbox("sweep"),
    ...events,
    // when it looked through an environment last
    may(["dynamodb:GetItem", "dynamodb:PutItem"], table(VIEWS_TABLE)),
    may(["lambda:ListVersionsByFunction", "lambda:ListAliases"], ...functionsOfSites),
    // which release visitors are sent to
    may(["lambda:GetAlias"], ...functionsOfSites, ...qualified(every.alias)),
    // a version by its number, and never a function: that has no colon after its name
    may(["lambda:DeleteFunction"], ...qualified("*")),
    ...removeAddresses,
    edgeTables,
    list("static"),
    list("artifacts"),
    may(["s3:GetObject"], objects("static", `${every.releases}/*`)),
    may(
      ["s3:DeleteObject"],
      ...[every.assets, every.cache, every.releases, every.publicFiles].map((folder) => objects("static", `${folder}/*`)),
    ),
    may(["s3:DeleteObject"], objects("artifacts", `${every.builds}/*`)),
    may(["s3:GetObject", "s3:PutObject"], objects("artifacts", `${every.sweeps}/*`)),
    // rows of releases are looked for in the whole table, which has those of what is kept
    may(["dynamodb:Scan", "dynamodb:BatchWriteItem"], table(every.tagTable)),
  ],
  notify: [
    ...mailbox("notify"),
    readEvents,
    readViews,
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    send("deliver"),
    // the error of a build that failed
    buildLogs,
  ],
  deliver: [
    ...mailbox("deliver"),
    ...events,
    may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    may(["secretsmanager:GetSecretValue"], webhookSecrets),
    // the names of the people that a message speaks of
    may(["dynamodb:Query"], table(PEOPLE_TABLE)),
  ],
  feed: [
    ...mailbox("feed"),
    ...events,
    // its place, and its line
    may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    // the days of what an older release wrote are looked for in the whole table, once
    log,
    may(["secretsmanager:GetSecretValue"], webhookSecrets),
  ],
  project: [...mailbox("project"), readEvents, relayed],
  reconcile: [
    ...events,
    log,
    readViews,
    relayed,
    // notes of streams whose row is there, and what is left of endpoints that were never added or are removed
    may(["dynamodb:DeleteItem"], table(VIEWS_TABLE)),
    may(["secretsmanager:DeleteSecret"], webhookSecrets),
    publish,
    may(["codebuild:ListBuildsForProject", "codebuild:BatchGetBuilds", "codebuild:StopBuild"], projectsOfSites),
    send("watch-build"),
    send("sweep"),
    may(["lambda:GetAlias"], ...functionsOfSites, ...qualified(every.alias)),
    readEdgeTables,
    readAddresses,
    // AWS knows no resource for it
    may(["lambda:GetAccountSettings"], "*"),
  ],
  wake: [
    may(["dynamodb:Query", "dynamodb:DeleteItem"], table(VIEWS_TABLE), `${table(VIEWS_TABLE)}/index/gsi1`),
    ...waits.map(send),
    // which subscriptions there are; a row of another release is folded anew from its stream
    may(["dynamodb:GetItem"], table(VIEWS_TABLE)),
    readEvents,
    send("feed"),
  ],
  seal: [
    log,
    sealNotes,
    list("archive"),
    may(["s3:GetObject", "s3:PutObject"], objects("archive", "seals/*"), objects("archive", "segments/*")),
    may(["kms:Sign", "kms:GetPublicKey"], "{sealKey}"),
  ],
  relay: [
    readEvents,
    may(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], `${table(EVENTS_TABLE)}/stream/*`),
    // AWS knows no resource for it
    may(["dynamodb:ListStreams"], "*"),
    relayed,
    publish,
    list("artifacts"),
    may(["s3:PutObject"], objects("artifacts", "aws/lambda/*")),
  ],
  api: [
    ...events,
    log,
    readViews,
    // what is listed is read a hundred rows at a time
    may(["dynamodb:BatchGetItem"], table(VIEWS_TABLE)),
    // deliveries that a person asks for, and what is noted of a seal on demand
    may(["dynamodb:PutItem"], table(VIEWS_TABLE)),
    sealNotes,
    // who is who: a name that is new, and one that is erased
    may(["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], table(PEOPLE_TABLE)),
    // messages that a person sends again, to whichever consumer could not take them
    may(
      ["sqs:GetQueueUrl", "sqs:SendMessage"],
      ...(consumers as readonly Consumer[]).map(({ name }) => queue(queueName(name))),
      queue(every.revalidationQueue),
    ),
    may(
      ["secretsmanager:CreateSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"],
      webhookSecrets,
    ),
    // values of variables are set, removed and read by people
    may(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], arn("secretsmanager", `secret:${every.secret}-??????`)),
    list("sources"),
    may(["s3:GetObject", "s3:PutObject"], objects("sources", "sources/*")),
    may(["codebuild:BatchGetBuilds"], projectsOfSites),
    buildLogs,
    // two releases are compared: what their versions are, and the lists of their files
    may(["lambda:GetFunctionConfiguration"], ...qualified("*")),
    // what of a site's releases stays and goes: how much code each has
    may(["lambda:ListVersionsByFunction", "lambda:ListAliases"], ...functionsOfSites),
    list("static"),
    may(["s3:GetObject"], objects("static", `${every.releases}/*`)),
    may(
      ["sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"],
      ...(consumers as readonly Consumer[]).map(({ name }) => queue(deadLetterName(name))),
      siteDeadLetters,
    ),
    // a person empties them: what OpenNext cannot confirm, it cannot confirm the next time either
    may(["sqs:GetQueueAttributes", "sqs:PurgeQueue"], siteDeadLetters),
    list("archive"),
    may(["s3:GetObject", "s3:PutObject"], objects("archive", "seals/*"), objects("archive", "segments/*")),
    may(["kms:Sign", "kms:GetPublicKey"], "{sealKey}"),
  ],
};
