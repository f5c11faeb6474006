import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, type World } from "../support/world.ts";

const PATTERNS = { api: ["/api/*"], docs: ["/docs", "/docs/a*"] };
let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["live", "back", "refused", "crashing"], site: { functions: PATTERNS } });
});
afterAll(() => world.close());

const get = async (environment: string, path: string) => {
  const answer = await fetch(`${world.urlOf(environment)}${path}`);
  await answer.body?.cancel();
  return [answer.status, answer.headers.get("x-answered-by"), answer.headers.get("x-shiplog-deployment")];
};

describe("an app with split functions", () => {
  it("goes live as one set, and each path is answered by its function", async () => {
    const id = await world.live("live", { split: PATTERNS });
    expect(await get("live", "/")).toEqual([200, "server", id]);
    expect(await get("live", "/api/hello")).toEqual([200, "api", id]);
    expect(await get("live", "/docs")).toEqual([404, "docs", id]);
    expect(await get("live", "/docs/about")).toEqual([404, "docs", id]);
    // a pattern of files says more than this one, as on AWS
    expect(await get("live", "/docs/guide.txt")).toEqual([200, null, id]);
    const flipped = (await world.eventsOf("live", "AliasFlipped")).map(({ body }) => body.function);
    // the others move at once
    expect(flipped.at(-1)).toBe("shiplog-web-live-server");
    expect(flipped.toSorted()).toEqual(
      ["image", "revalidation", "server", "server-api", "server-docs"].map((role) => `shiplog-web-live-${role}`),
    );
  });

  it("is checked function by function, each at the first of its paths", async () => {
    const { live } = await world.api.environment("web", "live");
    const events = await world.api.events(`deployments/${live?.deploymentId}`);
    const { checks, release } = events.find(({ type }) => type === "ChecksPassed")?.body ?? {};
    expect(checks).toContainEqual(expect.objectContaining({ role: "server-api", path: "/api", status: 404 }));
    expect(checks).toContainEqual(expect.objectContaining({ role: "server-docs", path: "/docs", status: 404 }));
    expect(release.functions.find(({ role }: { role: string }) => role === "server-docs").patterns).toEqual(["docs", "docs/a*"]);
  });

  it("goes back as one set", async () => {
    const one = await world.live("back", { split: PATTERNS });
    const two = await world.live("back", { split: PATTERNS });
    expect(await get("back", "/api/hello")).toEqual([200, "api", two]);
    await world.api.rollback("web", "back");
    await world.happened("back", "the rollback to be live", ({ type, body }) => type === "ReleaseWentLive" && body.sequence === 3);
    for (const path of ["/", "/api/hello", "/docs"]) expect((await get("back", path)).at(-1)).toBe(one);
  });

  it("does not go live where one of them cannot start", async () => {
    const { step, reason } = await world.reached(await world.deploy("crashing", { split: PATTERNS, fault: "split-crashes" }), "failed");
    expect(step).toBe("check");
    expect(reason).toContain("shiplog-web-crashing-server-api:2 did not pass its check (GET /api): it failed");
    expect((await world.api.environment("web", "crashing")).live).toBeNull();
  });

  it.each([
    ["none", undefined, "it has the server alone and"],
    ["one that is missing", { api: ["/api/*"] }, 'it has the split functions {"api":["api/*"]} and'],
    ["other paths", { ...PATTERNS, docs: ["/docs"] }, 'it has the split functions {"api":["api/*"],"docs":["docs"]} and'],
  ] as const)("is refused before anything is written where the environment was made for others: %s", async (_, split, sentence) => {
    const { step, reason } = await world.reached(await world.deploy("refused", split && { split }), "failed");
    expect(step).toBe("publish");
    expect(reason).toContain(`does not fit the site: ${sentence} web/refused was made for {"api":["api/*"],"docs":["docs","docs/a*"]}`);
    expect(reason).toContain('declare "functions": {');
  });
});
