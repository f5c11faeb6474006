import { siteResources } from "../../infra/sites.ts";
import { codeBuilds } from "../aws/builds.ts";
import { eventBus } from "../aws/bus.ts";
import { cdn } from "../aws/cdn.ts";
import type { Clients } from "../aws/clients.ts";
import { lambdaFunctions } from "../aws/functions.ts";
import { queues } from "../aws/mailroom.ts";
import { s3Objects } from "../aws/objects.ts";
import { siteSecrets } from "../aws/secrets.ts";
import { kmsSigner } from "../aws/signer.ts";
import { tagTables } from "../aws/tags.ts";
import { viewsTable } from "../aws/views.ts";
import { webhookSecrets } from "../aws/webhook-secrets.ts";
import { sealArchive } from "../store/archive.ts";
import { eventsOf } from "../store/codec.ts";
import { eventStore } from "../store/event-store.ts";
import { eventLog } from "../store/log.ts";
import type { Clock } from "./clock.ts";
import { type EngineConfig, siteConfig } from "./config.ts";
import { aggregates } from "./execute.ts";

/** Everything that the consumers are wired from: one place that knows both the ports' owners and AWS. */
export type Engine = ReturnType<typeof engine>;

export const engine = (config: EngineConfig, clients: Clients, clock: Clock, say: (line: Readonly<Record<string, unknown>>) => void) => {
  const store = eventStore(clients.dynamodb, config.eventsTable);
  const builds = codeBuilds(clients.codeBuild);
  const log = eventLog(clients.dynamodb, config.eventsTable);
  const objects = s3Objects(clients.s3, clock);
  return {
    config,
    clients,
    clock,
    log: say,
    store,
    eventLog: log,
    aggregates: aggregates(store, clock),
    bus: eventBus(clients.eventBridge, config.bus, clock),
    objects,
    /** sealed history, and how it is sealed */
    archive: sealArchive(objects, config.buckets.archive, kmsSigner(clients.kms, config.sealKey), log.read, clock),
    functions: lambdaFunctions(clients.lambda),
    tags: tagTables(clients.dynamodb, clock),
    views: viewsTable(clients.dynamodb, config.viewsTable),
    secrets: siteSecrets(clients.secrets),
    webhookSecrets: webhookSecrets(clients.secrets),
    queues: queues(clients.sqs, say),
    cdn: cdn(clients.cloudFront),
    builds: {
      ...builds,
      /** The build that was started for a deployment: one of the project's newest, or none. */
      find: async (site: string, deploymentId: string) =>
        (await builds.recent(projectOf(site))).find((build) => build.deploymentId === deploymentId),
    },
    site: (site: string, environment: string) => siteConfig(config, site, environment),
    /** Every event of a stream, in order. */
    events: async (stream: string) => (await store.read(stream, 0)).flatMap(eventsOf),
  };
};

export const projectOf = (site: string): string => siteResources(site, "any").project;

/** Time and chance as the machine has them. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
};
