import { deploymentOf, webhookOf } from "../../../domain/kernel/identity.ts";
import { MAX_CLOCK_SKEW_MS } from "../../../domain/kernel/position.ts";
import type { DeploymentView, EnvironmentView } from "../../../domain/projections/views.ts";
import { isEnd } from "../../../domain/projections/views.ts";
import type { WebhookView } from "../../../domain/projections/webhook-view.ts";
import type { Delivery } from "../../../domain/webhook/delivery.ts";
import type { News } from "../../../domain/webhook/news.ts";
import { type FlipTries, NO_TRIES } from "../../../engine/views/flip-notes.ts";
import { Generations } from "../../../engine/views/generations.ts";
import type { KeptPlace } from "../../../engine/views/place-notes.ts";
import { viewNames } from "../../../engine/views/read-models.ts";
import type { Views } from "../../../engine/views/views.ts";
import type { Waiting } from "../../../engine/views/waiting-rows.ts";
import type { Health } from "../../../engine/webhooks/delivery-rows.ts";
import { awsError, call, type Service } from "../world/call.ts";
import type { World } from "../world/world.ts";

const service: Service = { name: "views", refusal: () => awsError("ProvisionedThroughputExceededException") };

/** The rows of one world: texts, as a table holds them, so that nobody changes another's copy. */
export type Rows = ReturnType<typeof rowsOf>;
export const rowsOf = (world: World) => ({
  world,
  deployments: new Map<string, { version: number; text: string; active: boolean }>(),
  environments: new Map<string, { version: number; text: string }>(),
  webhooks: new Map<string, { version: number; text: string /** when there was a row first */; since: number }>(),
  relayed: new Map<string, number>(),
  /** digests of requests, by their callers' keys */
  keys: new Map<string, string>(),
  deliveries: new Map<string, { delivery: string; news: string }>(),
  health: new Map<string, Health>(),
  lines: new Map<string, number>(),
  begun: new Map<string, number>(),
  /** by `place sequence`: deliveries that found no room to run the release */
  tries: new Map<string, FlipTries>(),
  sentAgain: new Map<string, number>(),
  settled: new Map<string, string>(),
  places: new Map<string, KeptPlace>(),
  /** by `consumer key` */
  waiting: new Map<string, Waiting>(),
  /** told of each that begins to wait */
  waits: (_one: Waiting): void => undefined,
});

/** Writes a row if nobody wrote a newer one. */
const conditionalWrite = <R extends { version: number }>(rows: Map<string, R>, key: string, row: R): boolean => {
  if ((rows.get(key)?.version ?? -1) >= row.version) return false;
  rows.set(key, row);
  return true;
};
const read = <T>(row: { text: string } | undefined): T | undefined => (row === undefined ? undefined : (JSON.parse(row.text) as T));
const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

/** Lists of a generation: asked for by the names of the whole table alone. */
const none = {
  current: async () => undefined,
  viewsOf: async () => [],
  by: () => {
    throw new Error("the simulation has no indexes of a generation");
  },
  list: async () => [],
  active: async () => [],
  find: async () => [],
  newest: async () => ({ found: [], end: null }),
  many: async () => [],
};

/** Read models that nothing here looks at: written and forgotten. */
const others = Object.fromEntries(
  viewNames.map((name) => [name, { ...none, get: async () => undefined, put: async () => true }]),
) as unknown as ReturnType<Views["rows"]>;

/** Whether somebody still has it; nobody takes it for so long that only a clock ahead explains it. */
const isTaken = (held: number, now: number, until: number): boolean => held >= now && held <= until + MAX_CLOCK_SKEW_MS;

/** The table of read models, in place of ElectroDB's: consistent reads by key, and lists that are a moment late. */
export const viewsPort = (of: () => Rows): Views => {
  const ask = <T>(operation: string, effect: (rows: Rows) => T, detail = ""): Promise<T> => {
    const rows = of();
    return call(service, operation, "plain", () => effect(rows), detail);
  };
  const list = (rows: Rows, keep: (row: { active: boolean }) => boolean): DeploymentView[] => {
    const found = [...rows.deployments.values()].filter(keep).map((row) => read<DeploymentView>(row) as DeploymentView);
    if (found.length > 0 && rows.world.faults.strikes("stale-read")) found.pop();
    return found.sort(byId);
  };

  return {
    deployment: (id) => ask("GetDeployment", ({ deployments }) => read<DeploymentView>(deployments.get(id))),
    environment: (site, name) => ask("GetEnvironment", ({ environments }) => read<EnvironmentView>(environments.get(`${site}/${name}`))),
    environments: (places) =>
      ask("BatchGetEnvironments", ({ environments }) =>
        places.flatMap(({ site, environment }) => read<EnvironmentView>(environments.get(`${site}/${environment}`)) ?? []),
      ),
    deploymentsOf: (ids) =>
      ask("BatchGetDeployments", ({ deployments }) => ids.flatMap((id) => read<DeploymentView>(deployments.get(id)) ?? [])),
    newestDeployments: (limit, fits) =>
      ask("ListNewest", (rows) => ({
        found: list(rows, () => true)
          .filter(fits)
          .toReversed()
          .slice(0, limit),
        end: null,
      })),
    deployments: ({ site, environment, status, limit }) =>
      ask("ListDeployments", (rows) => ({
        found: list(rows, () => true)
          .filter((view) => view.site === site && view.environment === environment && (status ?? view.status) === view.status)
          .slice(0, limit),
        end: null,
      })),
    active: () => ask("ListActive", (rows) => list(rows, ({ active }) => active)),
    findDeployments: (prefix) =>
      ask("FindDeployments", (rows) =>
        list(rows, () => true)
          .filter(({ id }) => id.startsWith(prefix))
          .slice(0, 10),
      ),
    sessions: async () => [],
    // one generation: no seed rebuilds the read models yet
    generations: async () => Generations.parse({ live: {}, building: null, last: 0 }),
    changeGenerations: () => Promise.reject(new Error("the simulation has one generation of rows")),
    rebuild: async () => undefined,
    setRebuild: async () => false,
    rows: () => ({
      ...others,
      deployments: {
        ...none,
        list: async () => ({ found: [], end: null }),
        get: (stream) => ask("GetDeployment", ({ deployments }) => read<DeploymentView>(deployments.get(deploymentOf(stream)))),
        put: (view) =>
          ask(
            "PutDeployment",
            ({ deployments }) =>
              conditionalWrite(deployments, view.id, { version: view.version, text: JSON.stringify(view), active: !isEnd(view.status) }),
            view.status,
          ),
      },
      environments: {
        ...none,
        get: (stream) =>
          ask("GetEnvironment", ({ environments }) => read<EnvironmentView>(environments.get(stream.slice("environment/".length)))),
        put: (view) =>
          ask("PutEnvironment", ({ environments }) =>
            conditionalWrite(environments, `${view.site}/${view.environment}`, { version: view.version, text: JSON.stringify(view) }),
          ),
      },
      webhooks: {
        ...none,
        get: (stream) => ask("GetWebhook", ({ webhooks }) => read<WebhookView>(webhooks.get(webhookOf(stream)))),
        put: (view) =>
          ask("PutWebhook", ({ webhooks, world }) =>
            conditionalWrite(webhooks, view.id, {
              version: view.version,
              text: JSON.stringify(view),
              since: webhooks.get(view.id)?.since ?? world.now(),
            }),
          ),
      },
    }),
    claimKey: (key, digest) =>
      ask("ClaimKey", ({ keys }) => {
        if (!keys.has(key)) keys.set(key, digest);
        return keys.get(key) === digest;
      }),
    relayed: (stream) => ask("GetRelayed", ({ relayed }) => relayed.get(stream) ?? 0),
    setRelayed: (stream, version) =>
      ask("SetRelayed", ({ relayed }) => {
        if ((relayed.get(stream) ?? 0) >= version) return false;
        relayed.set(stream, version);
        return true;
      }),
    mended: () => ask("GetRelayed", ({ relayed }) => relayed.get("log") ?? 0),
    setMended: (time) => ask("SetRelayed", ({ relayed }) => void relayed.set("log", time)),
    noteBegun: (stream, at) => ask("NoteBegun", ({ begun }) => void begun.set(stream, at)),
    begun: () => ask("ListBegun", ({ begun }) => [...begun].map(([stream, at]) => ({ stream, at }))),
    forgetBegun: (stream) => ask("ForgetBegun", ({ begun }) => void begun.delete(stream)),
    flipTries: (place, sequence) => ask("GetTries", ({ tries }) => tries.get(`${place} ${sequence}`) ?? NO_TRIES),
    noteTries: (place, sequence, before, now) =>
      ask("NoteTries", ({ tries }) => {
        if ((tries.get(`${place} ${sequence}`) ?? NO_TRIES) === before) tries.set(`${place} ${sequence}`, now);
      }),
    forgetTries: (place, sequence) => ask("ForgetTries", ({ tries }) => void tries.delete(`${place} ${sequence}`)),
    sentAgain: (event) => ask("GetSentAgain", ({ sentAgain }) => sentAgain.get(event)),
    codeStorageSamples: async () => [],
    noteCodeStorage: async () => undefined,
    settled: (what) => ask("GetSettled", ({ settled }) => settled.get(what)),
    noteSettled: (what, value) => ask("NoteSettled", ({ settled }) => void settled.set(what, value)),
    place: (webhook) => ask("GetPlace", ({ places }) => places.get(webhook)),
    setPlace: (webhook, place, turn) =>
      ask("SetPlace", ({ places }) => {
        if ((places.get(webhook)?.turn ?? 0) !== turn) return false;
        places.set(webhook, { place, turn: turn + 1 });
        return true;
      }),
    forgetPlace: (webhook) => ask("ForgetPlace", ({ places }) => void places.delete(webhook)),
    noteSentAgain: (event, at) => ask("NoteSentAgain", ({ sentAgain }) => void sentAgain.set(event, at)),
    noteWaiting: (one) =>
      ask(
        "NoteWaiting",
        (rows) => {
          rows.waiting.set(`${one.consumer} ${one.key}`, one);
          rows.waits(one);
        },
        one.key,
      ),
    waiting: (consumer, key) => ask("GetWaiting", ({ waiting }) => waiting.get(`${consumer} ${key}`)),
    firstDue: () =>
      ask("FirstDue", ({ waiting }) => (waiting.size === 0 ? undefined : Math.min(...[...waiting.values()].map(({ due }) => due)))),
    dueBy: async function* (then, never) {
      yield await ask("ListDue", ({ waiting, world }) => {
        const due = [...waiting.values()].filter((one) => one.due <= then || one.due > never).sort((a, b) => a.due - b.due);
        // the index is a moment late
        if (due.length > 0 && world.faults.strikes("stale-read")) due.pop();
        return due;
      });
    },
    forgetWaiting: ({ consumer, key, token }) =>
      ask("ForgetWaiting", ({ waiting }) => {
        if (waiting.get(`${consumer} ${key}`)?.token === token) waiting.delete(`${consumer} ${key}`);
      }),
    // nothing is sealed yet in the simulation
    noteUnsealed: async () => true,
    unsealedStreams: async () => [],
    countUnsealed: async () => 0,
    sealedHead: async () => undefined,
    noteSealed: async () => undefined,
    sealsNoted: async () => undefined,
    noteSeals: async () => undefined,
    // nobody looks at the past of a world
    waypointBefore: async () => undefined,
    waypointAfter: async () => undefined,
    noteWaypoint: async () => undefined,
    progress: async () => undefined,
    setProgress: async () => undefined,

    webhooks: () =>
      ask("ListWebhooks", ({ webhooks }) =>
        [...webhooks.values()].map((row) => read<WebhookView>(row) as WebhookView).filter(({ removedAt }) => removedAt === null),
      ),

    delivery: (id) =>
      ask(
        "GetDelivery",
        ({ deliveries }) => {
          const found = deliveries.get(id);
          return found && { delivery: JSON.parse(found.delivery) as Delivery, news: JSON.parse(found.news) as News };
        },
        id,
      ),
    deliveries: (webhook, limit) =>
      ask("ListDeliveries", ({ deliveries }) =>
        [...deliveries.values()]
          .map(({ delivery }) => JSON.parse(delivery) as Delivery)
          .filter((delivery) => delivery.webhook === webhook)
          .slice(0, limit),
      ),
    putDelivery: (delivery, news) =>
      ask(
        "PutDelivery",
        ({ deliveries }) => {
          const { status, attempts } = JSON.parse(deliveries.get(delivery.id)?.delivery ?? '{"attempts":-1}') as Delivery;
          const mayFollow = delivery.status === "pending" ? status === "pending" : status !== "delivered";
          if (attempts < delivery.attempts || (attempts === delivery.attempts && mayFollow))
            deliveries.set(delivery.id, { delivery: JSON.stringify(delivery), news: JSON.stringify(news) });
        },
        `${delivery.id} ${delivery.status} ${delivery.attempts}`,
      ),
    noteDelivery: (delivery, news) =>
      ask("NoteDelivery", ({ deliveries }) => {
        if (deliveries.has(delivery.id)) return false;
        deliveries.set(delivery.id, { delivery: JSON.stringify(delivery), news: JSON.stringify(news) });
        return true;
      }),
    health: (webhook) => ask("GetHealth", ({ health }) => health.get(webhook) ?? { failingSince: 0, throttledUntil: 0 }),
    setHealth: (webhook, health) => ask("SetHealth", (rows) => void rows.health.set(webhook, health)),
    acquireSlot: (webhook, line, now, until) =>
      ask("AcquireSlot", ({ lines }) => {
        const taken = lines.get(`${webhook}/${line}`);
        if (taken !== undefined && isTaken(taken, now, until)) return false;
        lines.set(`${webhook}/${line}`, until);
        return true;
      }),
    releaseSlot: (webhook, line, until) =>
      ask("ReleaseSlot", ({ lines }) => {
        if (lines.get(`${webhook}/${line}`) === until) lines.delete(`${webhook}/${line}`);
      }),
  };
};
