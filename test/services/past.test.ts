import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readKnown } from "../../domain/aggregates.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { liveAmong, whyLive } from "../../domain/projections/why.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { randomOf } from "../simulation/world/random.ts";
import { longHistory } from "../support/long-history.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { siteConfigOf } from "../support/site-config.ts";

const POINTS = 200;
const SEED = 5;
const TOKEN = "token";
const ENVIRONMENTS = ["production", "preview"];
let room: ReplayRoom;
let app: ReturnType<typeof createApi>;
/** commits that were read backwards */
let readOnes = 0;
beforeAll(async () => {
  room = await startReplayRoom();
  const config = {
    ...localNames,
    sites: ENVIRONMENTS.map((environment) => siteConfigOf("web", environment, `${environment}.example.com`)),
    tokens: { ada: hash("sha256", TOKEN, "hex") },
  };
  const ports = apiPorts(engine(config, room.clients, systemClock, () => undefined));
  const readBack: typeof ports.readBack = async (...asked) => {
    const commits = await ports.readBack(...asked);
    readOnes += commits.length;
    return commits;
  };
  app = createApi({ ...ports, readBack });
});
afterAll(() => room.close());

/** What `shiplog status` and `shiplog list` are answered, now or at a moment. */
const seen = async (at?: string): Promise<unknown> => {
  const ask = async (path: string): Promise<unknown> => {
    const answer = await app.request(`/v1/${path}${at === undefined ? "" : `${path.includes("?") ? "&" : "?"}at=${at}`}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(answer.status).toBe(200);
    return answer.json();
  };
  return { status: await ask("environments"), list: ((await ask("deployments?limit=6")) as { deployments: unknown }).deployments };
};

const why = async (environment: string, at?: string): Promise<unknown> => {
  const path = `/v1/environments/web/${environment}/why${at === undefined ? "" : `?at=${at}`}`;
  return (await app.request(path, { headers: { authorization: `Bearer ${TOKEN}` } })).json();
};
const eventsIn = (commits: readonly Commit[]) => readKnown("environment", commits.flatMap(eventsOf));
/** The same from the whole log. */
const whyOf = (history: readonly Commit[], environment: string, at: string) => {
  const moment = /^\d{15}$/.test(at) ? at : positionAt(Date.parse(at));
  const until = (stream: string, end: string) => history.filter((commit) => commit.stream === stream && commit.position <= end);
  const events = eventsIn(until(environmentStream("web", environment), moment));
  const live = liveAmong(events);
  if (live === undefined) return { deployment: null, because: [] };
  const { deploymentId } = live.body;
  const deployment = readKnown("deployment", until(deploymentStream(deploymentId), live.position).flatMap(eventsOf));
  return { deployment: deploymentId, because: whyLive(events, deployment) };
};

describe("the past", () => {
  it(`is at ${POINTS} random points what was seen then, by position and by time`, async () => {
    const history = [...longHistory({ seed: SEED, events: 300, sites: ["web"], environments: ENVIRONMENTS })];
    const random = randomOf(SEED);
    const points = new Set<number>();
    while (points.size < POINTS) points.add(random.int(history.length));

    const then = new Map<string, unknown>();
    for (const [index, commit] of history.entries()) {
      await room.write([commit]);
      await room.project(commit);
      if (!points.has(index)) continue;
      const time = new Date(Number(commit.position)).toISOString();
      then.set(random.chance(0.5) ? commit.position : time, await seen());
    }
    expect(then.size).toBe(POINTS);
    for (const [moment, was] of then) expect(await seen(moment), `at ${moment}`).toEqual(was);

    for (const environment of ENVIRONMENTS)
      for (const moment of then.keys())
        expect(await why(environment, moment), `${environment} at ${moment}`).toEqual(whyOf(history, environment, moment));
  });

  it("says why a release is live from what happened since it was asked for, and reads little more", async () => {
    const commits = [...longHistory({ seed: SEED, events: 300, sites: ["web"], environments: ENVIRONMENTS })];
    for (const environment of ENVIRONMENTS) {
      const stream = commits.filter((commit) => commit.stream === environmentStream("web", environment));
      const { deploymentId } = liveAmong(eventsIn(stream))?.body ?? expect.fail("nothing is live");
      const asked = stream.findLastIndex(({ body }) => body.includes("DeploymentAdmitted") && body.includes(deploymentId));
      readOnes = 0;
      await why(environment);
      // a page is at most as long as all pages before it and the first
      expect(readOnes).toBeLessThan(2 * (stream.length - asked) + 8);
    }
  });
});
