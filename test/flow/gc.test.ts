import { afterAll, beforeAll, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { startWorld, type World } from "../support/world.ts";

/** This site keeps nothing for its age; what is marked waits a day. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"], site: { skewHours: 0, keep: { releases: 1, days: 0, window: 0, wait: 24 } } });
});
afterAll(() => world.close());

const cli = (...words: string[]) => runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });
const explained = async (thing: string) => JSON.parse((await cli("gc", "web/production", "--explain", thing, "--json")).out).explained;

it("shows what lies on the engine's own functions and in its bucket, changes nothing by looking, and takes what is asked of it", async () => {
  const first = await world.live("production");
  const second = await world.live("production");
  const before = (await world.eventsOf("production")).length;
  const { code, out } = await cli("gc", "web/production", "--dry-run", "--json");
  expect(code).toBe(0);
  const { sweep } = JSON.parse(out);
  expect(sweep.releases.map(({ deploymentId }: { deploymentId: string }) => deploymentId)).toEqual([first, second]);
  expect(sweep.releases[1]).toMatchObject({ stays: "live", because: "it is live" });
  expect(sweep.bytes.stay).toBeGreaterThan(0);

  const { release } = await world.api.deployment(second);
  const { name, version } = release?.functions.find(({ role }) => role === "server") ?? { name: "none", version: "none" };
  const { releases } = siteResources("web", "production");
  for (const thing of [second, second.slice(0, -1), `${name}:${version}`, `${name}:r-2`, "r-2", `${releases}/${second}.json`])
    expect(await explained(thing)).toMatchObject({ thing, stays: true, of: expect.arrayContaining([second]) });
  expect(await cli("gc", "web/production", "--explain", "/no/such/file.js")).toMatchObject({
    code: 2,
    err: expect.stringContaining("nothing of that name is known in web/production"),
  });
  expect((await world.eventsOf("production")).length).toBe(before);

  expect((await cli("keep", first, "--reason", "an audit")).code).toBe(0);
  expect(await explained(first)).toMatchObject({ stays: true });
  expect((await cli("gc", "web/production")).code).toBe(0);
});
