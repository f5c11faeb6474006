import { unlessMissing } from "../../engine/aws/errors.ts";
import { type Chance, systemChance } from "../../engine/kit/chance.ts";
import { Manifest } from "../../engine/open-next/manifest.ts";
import { manifestsOf } from "../../engine/sweep/found.ts";
import { placeOf } from "../../engine/sweep/place.ts";
import { planOf } from "../../engine/sweep/plan.ts";
import { everyAddress } from "../../engine/webhooks/lookup.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { engineSight } from "./engine-sight.ts";
import { letterQueues } from "./letter-queues.ts";
import type { Ports, Sweeps } from "./ports.ts";

/** What the API needs of the engine. */
export type ApiEngine = Pick<
  Engine,
  | "addresses"
  | "config"
  | "sources"
  | "buildLogs"
  | "aggregates"
  | "store"
  | "eventLog"
  | "githubTokens"
  | "views"
  | "builds"
  | "versionFacts"
  | "objects"
  | "functions"
  | "events"
  | "back"
  | "queues"
  | "siteLetters"
  | "archive"
  | "people"
  | "secrets"
  | "webhookSecrets"
  | "clock"
  | "log"
>;

type Options = { readonly chance?: Chance; readonly canStream?: boolean };

/**
 * The API's ports, of the engine.
 *
 * @param canStream whether the server that runs it answers piece by piece; default no
 */
export const apiPorts = (engine: ApiEngine, { chance = systemChance, canStream = false }: Options = {}): Ports => {
  const {
    config,
    sources,
    buildLogs,
    aggregates,
    store,
    eventLog,
    githubTokens,
    views,
    builds,
    versionFacts,
    objects,
    queues,
    archive,
    people,
    secrets,
    webhookSecrets,
    clock,
    log,
  } = engine;
  return {
    config,
    aggregates,
    read: store.read,
    readBack: store.readBack,
    log: eventLog,
    githubTokens,
    people,
    views,
    sources,
    builds,
    buildLogs,
    deadLetters: letterQueues(engine),
    released: {
      facts: ({ name, version }) => versionFacts(name, version),
      publicFiles: async (key) => {
        const text = await objects.getText(config.buckets.static, key);
        return text === undefined ? undefined : Manifest.parse(JSON.parse(text)).publicFiles;
      },
    },
    archive,
    sight: engineSight(engine),
    sweeps: sweeps(engine),
    secrets,
    webhooks: {
      rows: views,
      secrets: webhookSecrets,
      rules: { lookup: everyAddress, allowLoopback: config.loopbackWebhooks ?? false },
      send: (body) => queues.send("deliver", body),
      feed: (body) => queues.send("feed", body),
    },
    streaming: canStream ? clock : undefined,
    clock,
    chance,
    report: log,
  };
};

const sweeps = (engine: ApiEngine): Sweeps => {
  const { addresses, aggregates, back, clock, config, events, functions, objects, queues } = engine;
  const versions = async (name: string) => (await unlessMissing(functions.versions(name))) ?? [];
  return {
    plan: async (declared, isLean) => {
      const place = placeOf(config, declared);
      return {
        place,
        plan: await planOf({ aggregates, aliases: addresses.aliases, back, events, objects, now: clock.now, versions }, place, { isLean }),
      };
    },
    manifests: (place, { judged }) =>
      manifestsOf(
        { objects },
        place,
        judged.map(({ one }) => one.deploymentId),
      ),
    send: (body) => queues.send("sweep", body),
  };
};
