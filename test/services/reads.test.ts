import { hash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { each } from "../../engine/kit/each.ts";
import { engine as engineOf, systemClock } from "../../engine/wiring/engine.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { longHistory } from "../support/long-history.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { siteConfigOf } from "../support/site-config.ts";

const TOKEN = "token";
const ENVIRONMENT = "environment/web/production";
const commits = [...longHistory({ seed: 3, events: 1_000, sites: ["web"], environments: ["production"] })];
let room: ReplayRoom;
let app: ReturnType<typeof createApi>;
/** what the tables answered with so far */
let items = 0;
let queries = 0;

beforeAll(async () => {
  room = await startReplayRoom();
  await room.write(commits);
  const last = new Map(commits.map((commit) => [commit.stream, commit]));
  await each([...last.values()], 8, room.project);
  const config = { ...localNames, sites: [siteConfigOf("web", "production")], tokens: { ada: hash("sha256", TOKEN, "hex") } };
  app = createApi(apiPorts(engineOf(config, room.clients, systemClock, () => undefined)));
  room.clients.dynamodb.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { Items, Item } = answer.output as { Items?: unknown[]; Item?: unknown };
      items += Items?.length ?? (Item === undefined ? 0 : 1);
      queries += 1;
      return answer;
    },
    { step: "initialize" },
  );
});
beforeEach(() => {
  items = 0;
  queries = 0;
});
afterAll(() => room.close());

const ask = async (path: string) => {
  const answer = await app.request(`/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
};

describe("a read of a long log costs what it answers with", () => {
  it("of a stream, page by page", async () => {
    const stream = commits.filter((commit) => commit.stream === ENVIRONMENT);
    expect(stream.length).toBeGreaterThan(200);
    let after = 0;
    let pages = 0;
    for (; after < stream.length && pages < stream.length; pages++)
      after = (await ask(`environments/web/production/events?after=${after}`)).version as number;
    expect(after).toBe(stream.length);
    // a page is held against the commit before it
    expect(items).toBe(stream.length + pages - 1);
  });

  it("of what is under way, however much has ended", async () => {
    for (const status of ["queued", "building", "built", "deploying", "held", "cancelling"]) await ask(`deployments?status=${status}`);
    const active = (await room.views.active()).length;
    // the pointer to the rows that count is asked for with each
    expect(items).toBeLessThanOrEqual(7 * (active + 1));
  });

  it("of the newest deployments", async () => {
    const { deployments } = await ask("deployments?limit=5");
    expect(deployments).toHaveLength(5);
    expect(items).toBeLessThanOrEqual(26);
  });

  it("of the log from its beginning, whenever that was", async () => {
    const { events } = await ask("events?since=000000000000000&limit=40");
    expect((events as unknown[]).length).toBeGreaterThanOrEqual(40);
    // eight parts of one day, the days themselves, and what is dated ahead
    expect(queries).toBeLessThanOrEqual(60);
    queries = 0;
    const { rows } = await ask("audit?since=1970-01-01&limit=40");
    expect(rows).toHaveLength(40);
    expect(queries).toBeLessThanOrEqual(200);
  });

  it("of what was live, by a handful of requests, with what each was asked for with", async () => {
    const { changes } = (await ask("environments/web/production/history?limit=20")) as unknown as {
      changes: { deploymentId: string; commit: unknown }[];
    };
    expect(changes).toHaveLength(20);
    expect(queries).toBeLessThanOrEqual(8);
    for (const { deploymentId, commit } of changes) {
      const queued = commits.find(({ stream }) => stream === `deployment/${deploymentId}`);
      const [{ body }] = JSON.parse(queued?.body ?? "[]") as [{ body: { request: { commit?: unknown } } }];
      expect(commit).toEqual(body.request.commit ?? null);
    }
  });

  it("of one environment and of one deployment", async () => {
    const { environment } = (await ask("environments/web/production")) as unknown as { environment: { live: { deploymentId: string } } };
    await ask(`deployments/${environment.live.deploymentId}`);
    expect(items).toBeLessThanOrEqual(6);
    expect(queries).toBeLessThanOrEqual(8);
  });
});
