import { hash } from "node:crypto";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { awsClients } from "../../engine/aws/clients.ts";
import { type Engine, engine, systemClock } from "../../engine/wiring/engine.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { project } from "../../services/project/project.ts";
import { wake } from "../../services/wake/wake.ts";
import { longHistory, usualPlan } from "../support/long-history.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { putLog, settle } from "./long-log.ts";
import { type Cost, counting } from "./long-past.ts";
import type { Line } from "./report.ts";
import { inFolder } from "./room.ts";

/** Events of the two logs: `BENCH_EVENTS=1000000` takes about ten minutes and 2 GB of disk. */
const FEW = 10_000;
const MANY = Number(process.env.BENCH_EVENTS ?? 100_000);
const TOKEN = "bench";
const HOUR = 3_600_000;
const TIMES = 20;
const PLACE = { site: "web", environment: "production" };
const STREAM = environmentStream(PLACE.site, PLACE.environment);
const AT = `environments/${PLACE.site}/${PLACE.environment}`;

/**
 * What each question of a person, each command and each timer reads in a log of ten thousand events, 750 deployments of one environment,
 * and in one that is ten times as long, or as long as it is said. The one begins as the other, so that what is
 * asked about a time is asked about the same commits: the last hours of the first.
 */
export const log = async (tell: (line: string) => void): Promise<readonly Line[]> => {
  const few = await costs(FEW, tell);
  const many = await costs(MANY, tell);
  return Object.entries(many).map(([what, { ms, units, requests }]) => {
    const before = few[what] as Cost;
    return {
      bench: "log",
      what,
      value: before.units === 0 ? units + 1 : units / before.units,
      unit: "×",
      target: { is: "at most", value: 1.1 },
      note: `${before.units.toFixed(1)} → ${units.toFixed(1)} read units, ${before.requests} → ${requests} requests, ${ms.toFixed(1)} ms`,
    };
  });
};

const costs = (events: number, tell: (line: string) => void): Promise<Record<string, Cost>> =>
  inFolder(async (dataDir) => {
    const endpoint = await startEndpoint({ dataDir });
    const clients = awsClients(clientOptions(endpoint));
    try {
      await provisionEngine(clients);
      const commits = [...longHistory({ ...usualPlan(1, events), sites: [PLACE.site], environments: [PLACE.environment] })];
      // no clock is behind what was written
      const end = Number(commits.at(-1)?.position) + 1_000;
      const config = {
        ...localNames,
        sites: [siteConfigOf(PLACE.site, PLACE.environment)],
        tokens: { bench: hash("sha256", TOKEN, "hex") },
      };
      const made = engine(config, clients, { ...systemClock, now: () => end }, (line) => console.error(JSON.stringify(line)));
      const { deployments } = await putLog(made, commits);
      await settle(made, PLACE.site, PLACE.environment);
      tell(`${events} events: ${commits.length} commits, ${deployments} deployments`);
      return await measured(made, Number(commits[FEW - 1_000]?.position), counting(clients.dynamodb, clients.s3));
    } finally {
      clients.destroy();
      await endpoint.close();
    }
  });

type Act = (n: number) => Promise<unknown>;

/** Each asked before: of processes that have begun some time ago. */
const measured = async (made: Engine, then: number, counted: ReturnType<typeof counting>): Promise<Record<string, Cost>> => {
  const found: Record<string, Cost> = {};
  // whoever folds all of it leaves waypoints, as its projection does
  await asking(made)(`${AT}?at=${new Date(made.clock.now()).toISOString()}`);
  for (const [what, act] of Object.entries({ ...(await questions(made, then)), ...commands(made), ...timers(made) })) {
    for (let n = 0; n < TIMES; n++) await act(n);
    found[what] = await counted(TIMES, act);
  }
  return found;
};

const asking = (made: Engine) => {
  const api = createApi(apiPorts(made));
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
  return async (path: string, method = "GET", body?: object): Promise<any> => {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const answer = await api.request(`/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  };
};

const questions = async (made: Engine, then: number): Promise<Record<string, Act>> => {
  const ask = asking(made);
  const { deployments } = await ask(`deployments?limit=${TIMES}`);
  const id = (n: number): string => deployments[n].id;
  const ago = (hours: number): string => new Date(then - hours * HOUR).toISOString();
  const query = new URLSearchParams(PLACE).toString();
  return {
    "list: every environment": () => ask("environments"),
    "status of one": () => ask(AT),
    "the same as of a moment": (n) => ask(`${AT}?at=${ago((n + 1) / 2)}`),
    "the events of an environment, the newest": () => ask(`${AT}/events`),
    "history: what was live": () => ask(`${AT}/history`),
    "history as of a moment": (n) => ask(`${AT}/history?at=${ago((n + 1) / 2)}`),
    "why, as of a moment": (n) => ask(`${AT}/why?at=${ago((n + 1) / 2)}`),
    "rollback: what it would do": () => ask(`${AT}/rollback`),
    "the newest deployments": () => ask("deployments?limit=20"),
    "those of one environment": () => ask(`deployments?limit=20&${query}`),
    "one deployment": (n) => ask(`deployments/${id(n)}`),
    "its events": (n) => ask(`deployments/${id(n)}/events`),
    "the log, a page": (n) => ask(`events?since=${ago((n + 1) / 2)}`),
    "audit: a page": (n) => ask(`audit?since=${ago((n + 1) / 2)}&limit=100`),
    "dora of half a day": () => ask(`dora?since=${ago(12)}&until=${ago(0)}`),
    webhooks: () => ask("webhooks"),
    subscriptions: () => ask("subscriptions"),
    people: () => ask("people"),
  };
};

const commands = (made: Engine): Record<string, Act> => {
  const ask = asking(made);
  return {
    "unlock and lock": async () => {
      // the history may leave it locked
      await ask(`${AT}/unlock`, "POST", { force: true });
      await ask(`${AT}/lock`, "POST", { reason: "a bench" });
    },
  };
};

const timers = (made: Engine): Record<string, Act> => {
  const { aggregates, clock, store, views } = made;
  const awake = wake({ rows: views, send: async () => undefined, now: clock.now });
  const projected = project({ read: store.read, views });
  return {
    "wake's timer": () => awake(),
    "a message to project": async () => {
      const { version } = await aggregates.environment.load(PLACE.site, PLACE.environment);
      await projected({ stream: STREAM, version });
    },
  };
};
