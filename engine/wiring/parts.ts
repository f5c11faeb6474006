import { type EngineConfig, siteConfig } from "../../blueprint/engine-config.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { sealArchive } from "../archive/archive.ts";
import { kmsSigner } from "../archive/signer.ts";
import { releaseAddresses } from "../aws/addresses.ts";
import { cloudWatchBuildLogs } from "../aws/build-logs.ts";
import { codeBuilds } from "../aws/builds.ts";
import { eventBus } from "../aws/bus.ts";
import * as make from "../aws/clients.ts";
import { edgeTable as edgeTableOf } from "../aws/edge-table.ts";
import { lambdaFunctions } from "../aws/functions.ts";
import { s3Objects } from "../aws/objects.ts";
import { queues as sqsQueues } from "../aws/redelivery-queue.ts";
import { siteSecrets } from "../aws/secrets.ts";
import { siteDeadLetters } from "../aws/site-dead-letters.ts";
import { sourceBucket } from "../aws/sources.ts";
import { tagTables } from "../aws/tags.ts";
import { lambdaVersionFacts } from "../aws/version-facts.ts";
import type { Clock } from "../kit/clock.ts";
import { eventsOf } from "../log/codec.ts";
import { eventStore } from "../log/event-store.ts";
import { aggregates as aggregatesOf, SNAPSHOT_EVERY } from "../log/execute.ts";
import { eventLog as logOf } from "../log/log.ts";
import { logShards } from "../log/log-shards.ts";
import { lastUsed } from "../log/memory.ts";
import { eventsBack } from "../log/read-back.ts";
import { snapshotTable } from "../log/snapshots.ts";
import { askIssuer } from "../oidc/ask-issuer.ts";
import { githubTokenReader } from "../oidc/github-tokens.ts";
import { issuerKeys } from "../oidc/issuer-keys.ts";
import { people as peopleOf } from "../people/people.ts";
import { plainRows } from "../views/plain-rows.ts";
import { viewsTable } from "../views/views.ts";
import { webhookSecrets as endpointSecrets } from "../webhooks/webhook-secrets.ts";

/** What every part stands on. Clients are made when the first part asks for them, and kept. */
export type Base = {
  readonly config: EngineConfig;
  readonly clock: Clock;
  readonly log: (line: Readonly<Record<string, unknown>>) => void;
  readonly clients: { -readonly [K in keyof make.Clients]?: make.Clients[K] };
};

/**
 * The engine's parts, each by itself: a Lambda function is bundled with those that its handler names and with their AWS
 * clients, and not with the other nine.
 */
const dynamodb = ({ clients }: Base) => {
  clients.dynamodb ??= make.dynamodbClient();
  return clients.dynamodb;
};
const s3 = ({ clients }: Base) => {
  clients.s3 ??= make.s3Client();
  return clients.s3;
};
const codeBuild = ({ clients }: Base) => {
  clients.codeBuild ??= make.codeBuildClient();
  return clients.codeBuild;
};
const secretsManager = ({ clients }: Base) => {
  clients.secrets ??= make.secretsClient();
  return clients.secrets;
};

/** Of each category, that one process remembers, up to 100 KB each: more than the environments that a run of the reconciler looks at. */
const REMEMBERED_STREAMS = 128;

export const store = (base: Base) => eventStore(dynamodb(base), base.config.eventsTable);
export const eventLog = (base: Base) => logOf(dynamodb(base), base.config.eventsTable);
export const snapshots = (base: Base) => snapshotTable(dynamodb(base), base.config.snapshotsTable);
export const aggregates = (base: Base) =>
  aggregatesOf({
    ...base,
    store: store(base),
    snapshots: snapshots(base),
    every: SNAPSHOT_EVERY,
    memoryOf: () => lastUsed(REMEMBERED_STREAMS),
  });
export const views = (base: Base) => viewsTable(dynamodb(base), base.config.viewsTable, store(base).read);
/** The table of views without its read models. */
export const rows = (base: Base) => plainRows(dynamodb(base), base.config.viewsTable);
/** Who is who. */
export const people = (base: Base) => peopleOf(dynamodb(base), base.config.peopleTable, base.clock, base.log);
export const tags = (base: Base) => tagTables(dynamodb(base), base.clock);
/** Every event of a stream after a version, in order. */
export const events = (base: Base) => {
  const { read } = store(base);
  return async (stream: string, after = 0) => (await read(stream, after)).flatMap(eventsOf);
};
/** The events of a stream from the newest back. */
export const back = (base: Base) => eventsBack(store(base));

export const objects = (base: Base) => s3Objects(s3(base), base.clock);
export const sources = (base: Base) => sourceBucket(s3(base), base.config.buckets.sources);

/** Sealed history, and how it is sealed. */
export const archive = (base: Base) => {
  base.clients.kms ??= make.kmsClient();
  const signer = kmsSigner(base.clients.kms, base.config.sealKey);
  const sealed = { read: store(base).read, shards: logShards(dynamodb(base), base.config.eventsTable), notes: rows(base) };
  return sealArchive(objects(base), base.config.buckets.archive, signer, sealed, base.clock);
};

export const bus = (base: Base) => {
  base.clients.eventBridge ??= make.eventBridgeClient();
  return eventBus(base.clients.eventBridge, base.config.bus, base.clock);
};
export const queues = (base: Base) => {
  base.clients.sqs ??= make.sqsClient();
  return sqsQueues(base.clients.sqs, base.log);
};
export const siteLetters = (base: Base) => {
  base.clients.sqs ??= make.sqsClient();
  return siteDeadLetters(base.clients.sqs);
};
export const functions = (base: Base) => {
  base.clients.lambda ??= make.lambdaClient();
  return lambdaFunctions(base.clients.lambda);
};
export const addresses = (base: Base) => {
  base.clients.lambda ??= make.lambdaClient();
  return releaseAddresses(base.clients.lambda);
};
export const versionFacts = (base: Base) => {
  base.clients.lambda ??= make.lambdaClient();
  return lambdaVersionFacts(base.clients.lambda);
};
/** Lambda for who asks a release whether it works: where there is no room to run it, that is an answer too. */
export const probes = (base: Base) => {
  base.clients.briefLambda ??= make.briefLambdaClient();
  return lambdaFunctions(base.clients.briefLambda);
};
export const edgeTable = (base: Base) => {
  base.clients.keyValueStore ??= make.keyValueStoreClient();
  return edgeTableOf(base.clients.keyValueStore);
};
export const buildLogs = (base: Base) => {
  base.clients.logs ??= make.logsClient();
  return cloudWatchBuildLogs(base.clients.logs);
};
export const secrets = (base: Base) => siteSecrets(secretsManager(base), base.clock);
export const webhookSecrets = (base: Base) => endpointSecrets(secretsManager(base));

/** Who runs of GitHub Actions are; `undefined` where no environment has a rule for them. */
export const githubTokens = ({ config: { github }, clock }: Base) =>
  github && githubTokenReader(github, issuerKeys({ issuer: github.issuer, ask: askIssuer, clock }), clock);

export const builds = (base: Base) => {
  const all = codeBuilds(codeBuild(base));
  return {
    ...all,
    /** The build that was started for a deployment: one of the project's newest, or none. */
    find: async (site: string, environment: string, deploymentId: string) =>
      (await all.recent(projectOf(site, environment))).find((build) => build.deploymentId === deploymentId),
  };
};

export const site =
  ({ config }: Base) =>
  (name: string, environment: string) =>
    siteConfig(config, name, environment);

export const projectOf = (name: string, environment: string): string => siteResources(name, environment).project;
