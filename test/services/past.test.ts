import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
beforeAll(async () => {
  room = await startReplayRoom();
  const config = {
    ...localNames,
    sites: ENVIRONMENTS.map((environment) => siteConfigOf("web", environment, `${environment}.example.com`)),
    tokens: { ada: hash("sha256", TOKEN, "hex") },
  };
  app = createApi(apiPorts(engine(config, room.clients, systemClock, () => undefined)));
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
  return { status: await ask("environments"), list: await ask("deployments?limit=6") };
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
  });
});
