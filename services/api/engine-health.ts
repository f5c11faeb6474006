import { Hono } from "hono";
import { consumers } from "../../blueprint/topology.ts";
import { LookAtHealth } from "../../client/contract.ts";
import { BUILD_TIMEOUT_MINUTES } from "../../domain/deployment/limits.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { forecastOf } from "../../domain/projections/code-storage.ts";
import {
  type Behind,
  codeStorageHealth,
  type EngineFinding,
  type HealthPart,
  type Lag,
  lagHealth,
  lettersHealth,
  reconcilerHealth,
  sealsHealth,
  stepsHealth,
  unseen,
  waitingHealth,
  worstOf,
} from "../../domain/projections/engine-health.ts";
import { ageOf } from "../../engine/kit/age.ts";
import { each } from "../../engine/kit/each.ts";
import { END } from "../../engine/log/log.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import type { Ports } from "./ports.ts";

/** Whatever was ever written, no more than this is looked at: the newest commits, deployments on their way and declared environments. */
const NEWEST = 50;
const ACTIVE = 50;
const PLACES = 100;
/** Streams with something in no seal that are counted. */
const UNSEALED = 1_000;
/** Streams that are read at the same time. */
const READERS = 20;

type Sees = Pick<Ports, "config" | "read" | "readBack" | "log" | "deadLetters" | "sight" | "clock" | "report">;

/** `/v1/health/engine`: whether the engine itself is well, as far as its tables and queues tell. What cannot be looked at is a finding. */
export const engineHealth = (ports: Sees) =>
  new Hono<Env>().get("/", async (context) => {
    const now = ports.clock.now();
    const { part: only } = queryOf(context, LookAtHealth);
    // of a part that nobody asks for, nothing is read
    const lags = only === undefined || only === "relay" || only === "projections" ? lagsOf(ports, now) : undefined;
    const lag = async (part: "relay" | "projections") => lagHealth(part, (await (lags ?? lagsOf(ports, now)))[part]);
    const looks: Readonly<Record<HealthPart, () => Promise<EngineFinding>>> = {
      relay: () => lag("relay"),
      projections: () => lag("projections"),
      reconciler: () => reconciler(ports, now),
      "dead-letters": () => letters(ports, now),
      steps: () => steps(ports, now),
      waiting: () => waiting(ports, now),
      seals: () => seals(ports, now),
      "code-storage": async () => codeStorageHealth(forecastOf(await ports.sight.codeStorageSamples())),
    };
    const findings = await Promise.all(
      Object.entries(looks)
        .filter(([name]) => only === undefined || name === only)
        .map(async ([name, look]) => {
          const part = name as HealthPart;
          return look().catch((error: unknown) => {
            ports.report({ level: "error", message: "the engine's health could not be looked at", part, reason: String(error) });
            return unseen(part);
          });
        }),
    );
    return context.json({ at: new Date(now).toISOString(), state: worstOf(findings.map(({ state }) => state)), findings });
  });

/** How far what is passed on has come, stream by stream. */
const lagsOf = async (ports: Sees, now: number): Promise<{ relay: Lag; projections: Lag }> => {
  const heads = await headsOf(ports);
  const projected = await ports.sight.projections();
  const [relay, projections]: [Behind[], Behind[]] = [[], []];
  await each([...heads], READERS, async ([stream, head]) => {
    const relayed = await ports.sight.relayed(stream);
    if (relayed < head) relay.push(...(await firstAfter(ports, stream, relayed, now)));
    const row = await projected(stream);
    // what is not on the bus no row can have heard of
    if (row < Math.min(relayed, head)) projections.push(...(await firstAfter(ports, stream, row, now)));
  });
  return { relay: { behind: relay, looked: heads.size }, projections: { behind: projections, looked: heads.size } };
};

/** The versions at which streams end: of those written to last, those on their way, and those of environments. */
const headsOf = async ({ config, readBack, sight }: Sees): Promise<ReadonlyMap<string, number>> => {
  const heads = new Map<string, number>();
  for (const { stream, version } of await sight.newest(NEWEST)) heads.set(stream, Math.max(version, heads.get(stream) ?? 0));
  const others = [
    ...(await oldest(sight)).map(({ id }) => deploymentStream(id)),
    ...config.sites.slice(0, PLACES).map(({ site, environment }) => environmentStream(site, environment)),
  ];
  await each(
    others.filter((stream) => !heads.has(stream)),
    READERS,
    async (stream) => {
      const [last] = await readBack(stream, Number.MAX_SAFE_INTEGER, 1);
      if (last !== undefined) heads.set(stream, last.version);
    },
  );
  return heads;
};

const firstAfter = async ({ read }: Sees, stream: string, version: number, now: number): Promise<Behind[]> =>
  (await read(stream, version, 1)).map(({ at }) => ({ stream, ageMs: ageOf(at, now) }));

/** Those that have not ended and are where they are for longest. */
const oldest = async ({ active }: Sees["sight"]) => (await active()).sort((a, b) => (a.since < b.since ? -1 : 1)).slice(0, ACTIVE);

const reconciler = async ({ sight }: Sees, now: number): Promise<EngineFinding> => {
  const mended = await sight.mended();
  return reconcilerHealth(mended === 0 ? undefined : ageOf(new Date(mended).toISOString(), now));
};

const waiting = async ({ sight }: Sees, now: number): Promise<EngineFinding> => {
  const due = await sight.firstDue();
  return waitingHealth(due === undefined ? undefined : now - due);
};

const letters = async ({ deadLetters }: Sees, now: number): Promise<EngineFinding> => {
  const { letters, unread } = await deadLetters.list();
  const seen = letters.map(({ consumer, at }) => ({
    consumer,
    ageMs: at === null ? null : ageOf(at, now),
    ofSite: !consumers.some(({ name }) => name === consumer),
  }));
  return lettersHealth(seen, unread);
};

const steps = async ({ config, sight }: Sees, now: number): Promise<EngineFinding> => {
  const timeoutOf = (site: string, environment: string): number =>
    config.sites.find((place) => place.site === site && place.environment === environment)?.buildTimeoutMinutes ?? BUILD_TIMEOUT_MINUTES;
  const active = await sight.active();
  return stepsHealth(
    active.map((view) => ({ ...view, ageMs: ageOf(view.since, now), buildTimeoutMinutes: timeoutOf(view.site, view.environment) })),
  );
};

const seals = async ({ log, sight }: Sees, now: number): Promise<EngineFinding> => {
  const [newest, unsealed] = await Promise.all([sight.newestSeal(), sight.countUnsealed(UNSEALED)]);
  const [first] = newest === undefined ? await log.read("0".repeat(15), END, 1) : [];
  return sealsHealth({
    sealedMs: newest === undefined ? null : ageOf(newest.sealedAt, now),
    beganMs: first === undefined ? null : ageOf(first.at, now),
    unsealed,
    counted: UNSEALED,
  });
};
