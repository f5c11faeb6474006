import { ulid } from "ulid";
import { consumers } from "../../infra/topology.ts";
import { cloudWatchBuildLogs } from "../aws/build-logs.ts";
import { sourceBucket } from "../aws/sources.ts";
import type { Engine } from "../kit/engine.ts";
import { everyAddress } from "../kit/webhooks/lookup.ts";
import type { Ports } from "./ports.ts";

/** The API's ports, of the engine. */
export const apiPorts = ({
  config,
  clients,
  aggregates,
  store,
  eventLog,
  views,
  builds,
  queues,
  archive,
  webhookSecrets,
  clock,
  log,
}: Engine): Ports => ({
  config,
  aggregates,
  read: store.read,
  log: eventLog,
  views,
  sources: sourceBucket(clients.s3, config.buckets.sources),
  builds,
  buildLogs: cloudWatchBuildLogs(clients.logs),
  quarantine: { list: async () => (await Promise.all(consumers.map(({ name }) => queues.deadLetters(name)))).flat() },
  archive,
  webhooks: {
    rows: views,
    secrets: webhookSecrets,
    rules: { lookup: everyAddress, allowLoopback: config.loopbackWebhooks ?? false },
    send: (body) => queues.send("deliver", body),
  },
  clock,
  newDeploymentId: () => `dep_${ulid(clock.now())}`,
  report: log,
});
