import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import type { DeploymentView, Status } from "../../domain/projections/views.ts";
import { each } from "../../engine/kit/each.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { type Listed, mergedLists } from "../../engine/views/deployment-rows.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { project } from "../../services/project/project.ts";
import { type ApiRoom, openApiRoom, TOKEN } from "../support/api-room.ts";
import { deploymentId, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const SITES = ["web", "docs"];
const ALL = 7;
let room: ApiRoom;
const because = (cause: string) => ({ cause, correlation: cause, actor: "test" });
const projected = async (stream: string): Promise<void> => {
  const { length: version } = await room.engine.store.read(stream, 0);
  await project({ read: room.engine.store.read, views: room.engine.views })({ stream, version });
};
/** The nth deployment: of the two sites by turns; each third has ended. */
const deploy = async (n: number): Promise<void> => {
  const id = deploymentId(n);
  const site = SITES[n % 2] as string;
  const give = (command: Parameters<typeof room.engine.aggregates.deployment.execute>[1]) =>
    room.engine.aggregates.deployment.execute(id, command, because(`${id}/${command.type}`));
  await give({ type: "QueueDeployment", sequence: n, request: { ...request(n), site } });
  if (n % 3 === 0) {
    await give({ type: "RequestCancel" });
    await give({ type: "RecordBuildStopped", buildId: null, reason: "none" });
  }
  await projected(deploymentStream(id));
};
beforeAll(async () => {
  room = await openApiRoom({ sites: SITES.map((site) => siteConfigOf(site, "production")) });
  for (let n = 1; n <= ALL; n++) await deploy(n);
}, 60_000);
afterAll(() => room.close());

const ids = (...numbers: readonly number[]): string[] => numbers.map(deploymentId);
const listed = async (query: string): Promise<string[]> =>
  (await room.ask("GET", `/deployments${query}`)).body.deployments.map(({ id }: { id: string }) => id);

describe("the newest deployments of all places", () => {
  it("are those, the newest first, whether they have ended or not", async () => {
    expect(await listed("")).toEqual(ids(7, 6, 5, 4, 3, 2, 1));
    expect(await listed("?limit=3")).toEqual(ids(7, 6, 5));
  });

  it("are as many as was asked for, though between them are some of places that are declared no more", async () => {
    const ports = apiPorts(room.engine);
    const less = createApi({ ...ports, config: { ...ports.config, sites: ports.config.sites.filter(({ site }) => site === "docs") } });
    const answer = await less.request("/v1/deployments?limit=3", { headers: { authorization: `Bearer ${TOKEN}` } });
    const { deployments } = (await answer.json()) as { deployments: { id: string }[] };
    expect(deployments.map(({ id }) => id)).toEqual(ids(7, 5, 3));
  });

  it("are of one place where that is said", async () => {
    expect(await listed("?site=web")).toEqual(ids(6, 4, 2));
  });
});

describe("deployments a page at a time", () => {
  /** Every page from the newest on, as ids. */
  const pages = async (query: string): Promise<string[][]> => {
    const found: string[][] = [];
    for (let before = ""; ; ) {
      const { deployments, next } = (await room.ask("GET", `/deployments?${query}${before}`)).body;
      found.push(deployments.map(({ id }: { id: string }) => id));
      if (next === null) return found;
      before = `&before=${next}`;
    }
  };

  it.each([
    ["of all places", "limit=3", [7, 6, 5, 4, 3, 2, 1]],
    ["of one place", "limit=2&site=web&environment=production", [6, 4, 2]],
    ["of several places", "limit=2&environment=production", [7, 6, 5, 4, 3, 2, 1]],
    ["of those that have ended", "limit=1&status=cancelled", [6, 3]],
    ["of those that go on", "limit=2&status=queued&site=docs", [7, 5, 1]],
    ["of one place that have ended", "limit=1&status=cancelled&site=web", [6]],
  ])("are each given once, the newest first: %s", async (_, query, expected) => {
    const given = await pages(query);
    expect(given.flat()).toEqual(ids(...expected));
    const limit = Number(/limit=(\d)/.exec(query)?.[1]);
    for (const page of given.slice(0, -1)) expect(page).toHaveLength(limit);
  });

  it("are looked through a thousand at a time, however many there are, and go on where that ended", async () => {
    const busy = await openApiRoom({ sites: [siteConfigOf("busy", "production")] });
    try {
      const queued = projectDeployment(undefined, {
        ...(await room.engine.store.read(deploymentStream(deploymentId(1)), 0)).flatMap(eventsOf)[0],
      } as never);
      const row = (n: number, status: Status) =>
        ({ ...queued, id: deploymentId(n), site: "busy", environment: "production", sequence: n, status, version: 1 }) as DeploymentView;
      const { deployments } = busy.engine.views.rows(0);
      const numbers = Array.from({ length: 1_100 }, (_, n) => n + 1);
      await each(numbers, 20, async (n) => void (await deployments.put(row(n, n === 1 ? "failed" : "success"))));
      await deployments.put(row(0, "held"));
      const many = Array.from({ length: 11 }, (_, n) => siteConfigOf(`site-${n}`, "production"));
      const ports = apiPorts(busy.engine);
      const wide = createApi({ ...ports, config: { ...ports.config, sites: [...ports.config.sites, ...many] } });
      const held = await wide.request("/v1/deployments?status=held", { headers: { authorization: `Bearer ${TOKEN}` } });
      const { deployments: found, next } = (await held.json()) as { deployments: { id: string }[]; next: string | null };
      expect([found.map(({ id }) => id), next]).toEqual([ids(0), null]);
      for (const place of ["site=busy", "environment=production", ""]) {
        const first = (await busy.ask("GET", `/deployments?status=failed&${place}`)).body;
        expect(first.deployments).toEqual([]);
        const second = (await busy.ask("GET", `/deployments?status=failed&${place}&before=${first.next}`)).body;
        expect([second.deployments.map(({ id }: { id: string }) => id), second.next]).toEqual([ids(1), null]);
      }
    } finally {
      await busy.close();
    }
  }, 60_000);

  it("say that there is nothing behind the last", async () => {
    expect((await room.ask("GET", "/deployments?limit=7")).body.next).toBeNull();
    expect((await room.ask("GET", `/deployments?before=${deploymentId(1)}`)).body).toEqual({ deployments: [], next: null });
  });

  it("of several places skip none where two APIs' clocks differ", async () => {
    const { deployments } = room.engine.views.rows(0);
    const [six, four] = await Promise.all([6, 4].map((n) => room.engine.views.deployment(deploymentId(n))));
    try {
      // admitted in the other order than their ids say
      await deployments.put({ ...(six as DeploymentView), sequence: 4, version: 90 });
      await deployments.put({ ...(four as DeploymentView), sequence: 6, version: 90 });
      for (const limit of [1, 2, 3])
        expect((await pages(`limit=${limit}&environment=production`)).flat()).toEqual(ids(7, 6, 5, 4, 3, 2, 1));
    } finally {
      await deployments.put({ ...(six as DeploymentView), version: 91 });
      await deployments.put({ ...(four as DeploymentView), version: 91 });
    }
  });

  it("begin behind one of another place, too", async () => {
    expect(await listed(`?site=docs&before=${deploymentId(6)}`)).toEqual(ids(5, 3, 1));
  });

  it.each([
    ["of no deployment", `before=${deploymentId(99)}`, 404, "deployment.unknown"],
    ["with a beginning of an id", "before=dep_01", 400, "query.invalid"],
    ["with a moment", `before=${deploymentId(3)}&at=2026-11-01T00:00:00Z`, 400, "query.invalid"],
  ])("are refused %s", async (_, query, status, code) => {
    const answer = await room.ask("GET", `/deployments?${query}`);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
  });
});

describe("lists as one", () => {
  const view = (n: number) => ({ id: deploymentId(n) }) as DeploymentView;
  const part = (end: number | null, ...found: readonly number[]): Listed => ({
    found: found.map(view),
    end: end === null ? null : view(end),
  });
  const merged = (limit: number, ...parts: readonly Listed[]) => {
    const { found, end } = mergedLists(parts, limit);
    return [found.map(({ id }) => id), end?.id ?? null];
  };

  it("go no further than each of them was looked through", () => {
    expect(merged(5, part(null, 9, 4, 1), part(null, 8, 2))).toEqual([ids(9, 8, 4, 2, 1), null]);
    expect(merged(5, part(5, 9), part(null, 8, 2))).toEqual([ids(9, 8), deploymentId(5)]);
    expect(merged(5, part(5), part(7))).toEqual([[], deploymentId(7)]);
    expect(merged(2, part(7, 9, 7), part(6, 8, 6))).toEqual([ids(9, 8), deploymentId(8)]);
  });
  it("name what is in two of them once", () => {
    expect(merged(5, part(null, 9, 4), part(null, 4))).toEqual([ids(9, 4), null]);
  });
});

describe("deployments by their ids", () => {
  it("are those that there are, each once", async () => {
    expect(await listed(`?ids=${[...ids(2, 5, 2), deploymentId(99)].join(",")}`)).toEqual(ids(5, 2));
  });
  it.each([
    ["no id", "?ids=web"],
    ["too many", `?ids=${Array.from({ length: 101 }, (_, n) => deploymentId(n)).join(",")}`],
  ])("are refused: %s", async (_, query) => {
    expect((await room.ask("GET", `/deployments${query}`)).body.error.code).toBe("query.invalid");
  });
});

it("environments are listed as their rows have them, and those without a row, too", async () => {
  await room.ask("POST", "/environments/docs/production/pin", { reason: "an audit" });
  await projected(environmentStream("docs", "production"));
  const { environments } = (await room.ask("GET", "/environments")).body;
  expect(environments).toMatchObject([
    { site: "web", pin: null, live: null, url: "https://web.example.com" },
    { site: "docs", pin: { reason: "an audit" }, url: "https://docs.example.com" },
  ]);
});
