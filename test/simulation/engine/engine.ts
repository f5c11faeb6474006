import type { DynamoDBStreamEvent } from "aws-lambda";
import { siteConfig } from "../../../blueprint/engine-config.ts";
import { consumers, EVENTS_TABLE, SNAPSHOTS_TABLE } from "../../../blueprint/topology.ts";
import type { EnvironmentCommand } from "../../../domain/environment/commands.ts";
import { releaseAddresses } from "../../../engine/aws/addresses.ts";
import { codeBuilds } from "../../../engine/aws/builds.ts";
import { eventBus } from "../../../engine/aws/bus.ts";
import { edgeTable } from "../../../engine/aws/edge-table.ts";
import { lambdaFunctions } from "../../../engine/aws/functions.ts";
import { s3Objects } from "../../../engine/aws/objects.ts";
import { queues as sqsQueues } from "../../../engine/aws/redelivery-queue.ts";
import { siteSecrets } from "../../../engine/aws/secrets.ts";
import { siteDeadLetters } from "../../../engine/aws/site-dead-letters.ts";
import { sourceBucket } from "../../../engine/aws/sources.ts";
import { type BatchHandler, consumer } from "../../../engine/kit/consumer.ts";
import { maxReceives, readSubscribed } from "../../../engine/kit/subscription.ts";
import { eventsOf } from "../../../engine/log/codec.ts";
import { eventStore } from "../../../engine/log/event-store.ts";
import { aggregates as aggregatesOf } from "../../../engine/log/execute.ts";
import { eventLog } from "../../../engine/log/log.ts";
import { eventsBack } from "../../../engine/log/read-back.ts";
import { snapshotTable } from "../../../engine/log/snapshots.ts";
import { publicSets } from "../../../engine/open-next/public-set.ts";
import { claimsAt } from "../../../engine/sweep/claim.ts";
import { DeliveryMessage } from "../../../engine/webhooks/delivery.ts";
import { webhookSecrets as endpointSecrets } from "../../../engine/webhooks/webhook-secrets.ts";
import type { Engine } from "../../../engine/wiring/engine.ts";
import { projectOf } from "../../../engine/wiring/parts.ts";
import { type EdgeReplayed, replayEdge } from "../../../operator/replay/edge.ts";
import { createApi } from "../../../services/api/app.ts";
import { apiPorts } from "../../../services/api/wiring.ts";
import { deliver } from "../../../services/deliver/deliver.ts";
import { wire as wireReconcile } from "../../../services/reconcile/handler.ts";
import { wire as wireRelay } from "../../../services/relay/handler.ts";
import { wire as wireWake } from "../../../services/wake/handler.ts";
import { nobody } from "../../support/nobody.ts";
import { simulatedClients } from "../aws/clients.ts";
import { viewsPort } from "../aws/rows.ts";
import { virtualClock as clock } from "../world/clock.ts";
import { here } from "../world/world.ts";
import { cloudHere } from "./clouds.ts";
import { config, configBefore, type Place, SHORT_WINDOW } from "./config.ts";
import { memoryOf } from "./memories.ts";
import { post } from "./post.ts";
import { publishWiring } from "./publish.ts";
import { tagTables } from "./tags.ts";

/**
 * The engine as it is, made once: its adapters on clients that lead into whichever world asks. What a handler would do
 * with files or the network is wired here from the same verb.
 */
const clients = simulatedClients(cloudHere);
const log = (line: Readonly<Record<string, unknown>>): void => cloudHere().said(line);
const store = eventStore(clients.dynamodb, EVENTS_TABLE);
const aggregates = aggregatesOf({ store, snapshots: snapshotTable(clients.dynamodb, SNAPSHOTS_TABLE), every: 3, memoryOf, clock, log });
const views = viewsPort(() => cloudHere().rows);
const queues = sqsQueues(clients.sqs, log);
const functions = lambdaFunctions(clients.lambda);
const objects = s3Objects(clients.s3, clock);
const webhookSecrets = endpointSecrets(clients.secrets);
const siteLetters = siteDeadLetters(clients.sqs);
const allBuilds = codeBuilds(clients.codeBuild);
const site = (name: string, environment: string) => {
  const { old, world } = here();
  const declared = siteConfig(old ? configBefore : config, name, environment);
  return declared && world.shortWindows ? { ...declared, skewHours: SHORT_WINDOW } : declared;
};

const engine = {
  config,
  clock,
  log,
  store,
  aggregates,
  views,
  rows: views,
  queues,
  functions,
  probes: functions,
  addresses: releaseAddresses(clients.lambda),
  edgeTable: edgeTable(clients.keyValueStore),
  objects,
  site,
  webhookSecrets,
  siteLetters,
  bus: eventBus(clients.eventBridge, config.bus, clock),
  secrets: siteSecrets(clients.secrets, clock),
  sources: sourceBucket(clients.s3, config.buckets.sources),
  eventLog: eventLog(clients.dynamodb, EVENTS_TABLE),
  events: async (stream: string, after = 0) => (await store.read(stream, after)).flatMap(eventsOf),
  back: eventsBack(store),
  builds: {
    ...allBuilds,
    find: async (name: string, environment: string, deploymentId: string) =>
      (await allBuilds.recent(projectOf(name, environment))).find((build) => build.deploymentId === deploymentId),
  },
  tags: tagTables,
  buildLogs: { end: async () => ["npm run build: 1"], read: async () => ({ lines: [], next: null }) },
};
type Simulated = typeof engine;
// parts that nothing here asks for (seals) are missing
const whole = engine as Simulated & Engine;

/** The engine whose environments keep what the world says. */
const keeping: typeof whole = {
  ...whole,
  config: {
    ...config,
    get sites() {
      const { keep } = here().world;
      return keep === undefined ? config.sites : config.sites.map((one) => ({ ...one, keep }));
    },
  },
};

/** What a handler would do with files or the network. */
const own: Readonly<Record<string, BatchHandler>> = {
  "publish-release": consumer(
    maxReceives("publish-release"),
    queues.redelivery("publish-release"),
    readSubscribed("publish-release"),
    publishWiring(engine),
  ),
  deliver: consumer(
    maxReceives("deliver"),
    queues.redelivery("deliver"),
    (body) => DeliveryMessage.parse(JSON.parse(body)),
    deliver({
      aggregates,
      people: nobody,
      rows: views,
      secrets: webhookSecrets,
      post,
      timeoutMs: 20_000,
      clock,
    }),
  ),
};

/** Every consumer of the topology, by its own wiring where that needs neither. */
export const handlers: Readonly<Record<string, BatchHandler>> = Object.fromEntries(
  await Promise.all(
    consumers.map(async ({ name }) => {
      if (own[name] !== undefined) return [name, own[name]] as const;
      const { wire } = (await import(`../../../services/${name}/handler.ts`)) as { wire(engine: Engine): BatchHandler };
      return [name, wire(name === "sweep" ? keeping : whole)] as const;
    }),
  ),
);

export const relayRecords: (event: DynamoDBStreamEvent) => ReturnType<ReturnType<typeof wireRelay>> = wireRelay(whole);
export const reconcileAll: (event: unknown) => Promise<void> = wireReconcile(whole);
export const wakeAll: (event: unknown) => Promise<void> = wireWake(whole);

type By = { readonly user: string; readonly key: string };
/** Somebody commands an environment; answers as the API would. */
const commanded = async ({ site, environment }: Place, deploymentId: string, command: EnvironmentCommand, { user, key }: By) => {
  const because = { cause: `command/${key}`, correlation: deploymentId, actor: user };
  const { refusal } = await aggregates.environment.execute(site, environment, command, because);
  return { status: refusal === undefined ? 200 : 409, text: JSON.stringify(refusal ?? {}) };
};

/** Somebody cuts a release off. */
export const cutRelease = (place: Place, deploymentId: string, by: By) =>
  commanded(place, deploymentId, { type: "CutRelease", deploymentId, actor: by.user, at: new Date(clock.now()).toISOString() }, by);

/** Somebody keeps a release by name, or lets it go by its age again. */
export const keepRelease = (place: Place, deploymentId: string, by: By) =>
  commanded(place, deploymentId, { type: "KeepRelease", deploymentId, reason: "to go back to", claims: claimsAt(clock.now()) }, by);
export const unkeepRelease = (place: Place, deploymentId: string, by: By) =>
  commanded(place, deploymentId, { type: "UnkeepRelease", deploymentId }, by);

/** Somebody asks for an environment's sweep to go one step further. */
export const askForSweep = async ({ site, environment }: Place, { user, key }: By) => {
  await queues.send("sweep", JSON.stringify({ site, environment, actor: user, cause: `command/${key}` }));
  return { status: 202, text: "{}" };
};

/** An operator has every edge's table made what the log says. */
export const replayTables = (): Promise<EdgeReplayed> =>
  replayEdge(
    {
      edgeTable: engine.edgeTable,
      clock,
      events: engine.events,
      fileRows: async (manifest) => (await publicSets(objects).named({ bucket: config.buckets.static }, manifest)).rows,
    },
    config.sites.flatMap(({ site, environment, edgeTable: table, distribution }) =>
      table === null || distribution === null ? [] : [{ site, environment, table, distribution }],
    ),
  );

/** The API, whose ids of deployments the world gives. */
const ports = apiPorts(whole, {
  chance: {
    deploymentId: () => cloudHere().newId("dep_"),
    personId: () => cloudHere().newId("per_"),
    requestId: () => cloudHere().newId("request "),
    sessionSecret: () => cloudHere().newId("secret "),
    signingSecret: () => cloudHere().newSigningSecret(),
  },
});
const publicAddress = async (): Promise<string[]> => ["93.184.216.34"];
/** Names are their own pseudonyms: nobody is erased in a world, and what it tells is read by people. */
const people = { ...ports.people, ...nobody, pseudonymOf: async (name: string) => name };
export const api = createApi({ ...ports, people, webhooks: { ...ports.webhooks, rules: { lookup: publicAddress, allowLoopback: false } } });
