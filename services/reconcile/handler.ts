import { functionNames, siteResources } from "../../blueprint/site-resources.ts";
import { BUILD_TIMEOUT_MINUTES } from "../../domain/deployment/limits.ts";
import { deploymentStream, environmentStream, webhookStream } from "../../domain/kernel/identity.ts";
import { isEnd } from "../../domain/projections/views.ts";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { storeOf } from "../../engine/edge/live-row.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { relay } from "../../engine/log/relay-commit.ts";
import { viewsOf } from "../../engine/views/read-models.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import {
  addresses,
  aggregates,
  back,
  builds,
  bus,
  edgeTable,
  eventLog,
  events,
  functions,
  projectOf,
  queues,
  site,
  store,
  views,
  webhookSecrets,
} from "../../engine/wiring/parts.ts";
import { reconcileDeployment } from "./deployments.ts";
import { reconcileEnvironment } from "./environments.ts";
import { forgetUnused } from "./forget-unused.ts";
import { mend } from "./mend.ts";
import { isProjectedTo } from "./projected-to.ts";
import { reconcile } from "./reconcile.ts";
import { turnOf } from "./turn.ts";

/** A build's state as CodeBuild's own event would have told it: the same nudge through the same door. */
const stateChange = ({ id, arn, status }: BuildReport) => ({
  source: "aws.codebuild",
  "detail-type": "CodeBuild Build State Change",
  detail: { "build-id": arn, "build-status": status, "project-name": id.slice(0, id.indexOf(":")) },
});

/** Deployments of an environment whose end may have been lost on its way, although their row has heard of it. */
const RECENT = 10;

export const wire = ({
  addresses,
  aggregates,
  builds,
  edgeTable,
  functions,
  store,
  eventLog,
  bus,
  views,
  queues,
  clock,
  config,
  events,
  back,
  site,
  webhookSecrets,
  log,
}: Pick<
  Engine,
  | "addresses"
  | "aggregates"
  | "builds"
  | "edgeTable"
  | "functions"
  | "store"
  | "eventLog"
  | "bus"
  | "views"
  | "queues"
  | "clock"
  | "config"
  | "events"
  | "back"
  | "site"
  | "webhookSecrets"
  | "log"
>) => {
  const run = reconcile({
    mend: async () => {
      await eventLog.completeDays();
      return mend({
        ...views,
        readLog: eventLog.read,
        read: store.read,
        known: async () => [
          ...turnOf(config.sites, clock.now()).map(({ site, environment }) => ({ stream: environmentStream(site, environment) })),
          ...(await views.active()).map(({ id, version }) => ({ stream: deploymentStream(id), version })),
          ...(await views.webhooks()).map(({ id, version }) => ({ stream: webhookStream(id), version })),
        ],
        places: async () =>
          turnOf(config.sites, clock.now()).map(({ site, environment }) => ({
            stream: environmentStream(site, environment),
            state: async () => {
              const { version, state } = await aggregates.environment.load(site, environment);
              return { past: `${version} ${state.latest}`, admitted: [...state.pending.values()] };
            },
            newest: async () =>
              (await views.deployments({ site, environment, limit: RECENT })).found.map(({ id, version, sequence, status }) => ({
                stream: deploymentStream(id),
                version,
                sequence,
                hasEnded: isEnd(status),
              })),
          })),
        relay: relay({ ...views, read: store.read, publish: bus.publish }),
        projected: async (stream) => {
          const { live } = await views.generations();
          const rows = await Promise.all(viewsOf(stream).map((name) => views.rows(live[name])[name].get(stream)));
          return Math.min(...rows.map((row) => row?.version ?? 0));
        },
        publish: (commit) => bus.publish(eventsOf(commit)),
        forgetUnused: forgetUnused({ aggregates, secrets: webhookSecrets, rows: views }),
        now: clock.now,
      });
    },
    active: views.active,
    deployment: views.deployment,
    reconcileDeployment: (view) =>
      reconcileDeployment({
        aggregates,
        events,
        back,
        publish: bus.publish,
        sentAgain: views.sentAgain,
        noteSentAgain: views.noteSentAgain,
        builds,
        reportBuild: (build) => queues.send("watch-build", JSON.stringify(stateChange(build))),
        askedAgainAt: async (id) => (await views.waiting("start-build", id))?.due,
        buildTimeoutMinutes: (name, environment) => site(name, environment)?.buildTimeoutMinutes ?? BUILD_TIMEOUT_MINUTES,
        now: clock.now,
      })(view),
    reconcileEnvironment: reconcileEnvironment({
      aggregates,
      events,
      back,
      publish: bus.publish,
      sentAgain: views.sentAgain,
      noteSentAgain: views.noteSentAgain,
      settled: views.settled,
      noteSettled: views.noteSettled,
      alias: (fn) => functions.alias(fn, siteResources("any", "any").alias),
      isDeclared: (name, environment, fn) => {
        const declared = site(name, environment);
        return declared !== undefined && functionNames(name, environment, declared).includes(fn);
      },
      isProjected: async (id) => (await views.deployment(id)) !== undefined,
      store: (name, environment) => {
        const declared = site(name, environment);
        return declared && storeOf(declared);
      },
      row: edgeTable.get,
      addresses,
      isProjectedTo: isProjectedTo(views),
      now: clock.now,
    }),
    sweep: (name, environment) => queues.send("sweep", JSON.stringify({ site: name, environment })),
    codeStorage: functions.codeStorage,
    codeStorageSamples: views.codeStorageSamples,
    noteCodeStorage: views.noteCodeStorage,
    firstDue: views.firstDue,
    now: clock.now,
    sites: config.sites,
    recentBuilds: (name, environment) => builds.recent(projectOf(name, environment)),
    stopBuild: builds.stop,
    log,
  });
  return (_event: unknown): Promise<void> => run();
};

export const handler = onLambda(
  { addresses, aggregates, builds, edgeTable, functions, store, eventLog, bus, views, queues, events, back, site, webhookSecrets },
  wire,
);
