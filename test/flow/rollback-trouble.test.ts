import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["cold", "dead", "outage", "swept", "waits"] });
});
afterAll(() => world.close());

const ended = ["ReleaseWentLive", "FlipFailed", "FlipSuperseded"];
/** Rolls back and waits until that is over; gives the event that ended it. */
const rolledBack = async (environment: string, to?: string, more: { force?: boolean; reason?: string } = {}) => {
  const { sequence, version } = await world.api.rollback("web", environment, to, more);
  const what = `the end of rollback ${sequence}`;
  return world.happened(environment, what, ({ type, body }) => ended.includes(type) && body.sequence === sequence, version);
};
const at = (environment: string) => world.api.environment("web", environment);
const status = async (environment: string): Promise<number> => (await fetch(`${world.urlOf(environment)}/ssr`)).status;

describe.concurrent("in environments that do not see each other", () => {
  it("a release that answers 500 while it is cold is tried as often as at its check, and once more later", async () => {
    const downWhile = join(world.folder, "cold");
    const one = await world.live("cold", { downWhile });
    await world.live("cold");
    await writeFile(downWhile, "3");
    expect(await rolledBack("cold")).toMatchObject({ type: "ReleaseWentLive", body: { deploymentId: one, reason: "rollback" } });
    expect(existsSync(downWhile)).toBe(false);
    const { body } = await world.happened("cold", "it to be live", ({ type, body }) => type === "ReleaseWentLive" && body.sequence === 3);
    expect(body.unproven).toBeUndefined();
  });

  it("one that fails while what is live works is no target any more, leaves no pin, and goes live by force alone", async () => {
    const downWhile = join(world.folder, "dead");
    const one = await world.live("dead", { downWhile });
    const two = await world.live("dead");
    await writeFile(downWhile, "");
    const failed = await rolledBack("dead");
    expect(failed).toMatchObject({ type: "FlipFailed", body: { deploymentId: one, unfit: true } });
    expect(failed.body.reason).toMatch(/server:\d+ does not work: it answered 500$/);
    expect(await at("dead")).toMatchObject({ live: { deploymentId: two }, pin: null });

    const nothing = await world.api.post("environments/web/dead/rollback");
    expect(nothing).toMatchObject({ status: 409, body: { error: { code: "rollback.nothing" } } });
    expect(nothing.body.error.message).toContain(`${one}: it could not be brought live: `);
    expect((await world.api.rollbackPlan("web", "dead")).refusal?.message).toContain(one);

    const forced = await rolledBack("dead", one, { force: true, reason: "it must" });
    expect(forced).toMatchObject({ type: "ReleaseWentLive", body: { deploymentId: one, unproven: failed.body.reason } });
    expect((await world.eventsOf("dead", "FlipRequested")).at(-1)?.body).toMatchObject({ forced: true, why: "it must" });
    expect(await status("dead")).toBe(500);
    await rm(downWhile);
    expect(await status("dead")).toBe(200);
  });

  it("while a backend is down that both need, nothing is proven: it is said, and force goes", async () => {
    const downWhile = join(world.folder, "outage");
    const one = await world.live("outage", { downWhile });
    const two = await world.live("outage", { downWhile });
    await writeFile(downWhile, "");
    const { type, body } = await rolledBack("outage");
    expect([type, body.unfit]).toEqual(["FlipFailed", undefined]);
    expect(body.reason).toMatch(new RegExp(`it answered 500; what is live \\(${two}\\) fails too .*shiplog rollback ${one} --force$`));
    expect((await at("outage")).pin).toBeNull();
    expect((await world.api.rollbackPlan("web", "outage")).plan?.to.deploymentId).toBe(one);
    expect(await rolledBack("outage", undefined, { force: true })).toMatchObject({ type: "ReleaseWentLive", body: { deploymentId: one } });
    await rm(downWhile);
    expect(await status("outage")).toBe(200);
  });

  it("past a release whose version is gone, the next rollback goes on to the one before", async () => {
    const one = await world.live("swept");
    const two = await world.live("swept");
    await world.live("swept");
    const version = (await world.api.deployment(two)).release?.functions.find(({ role }) => role === "server")?.version;
    await world.deleteServer(two);
    expect(await rolledBack("swept")).toMatchObject({ type: "FlipFailed", body: { deploymentId: two, unfit: true } });
    expect((await world.api.rollbackPlan("web", "swept")).plan).toMatchObject({
      to: { deploymentId: one },
      skipped: [{ deploymentId: two, is: "unfit", why: expect.stringContaining(`version ${version} of`) }],
    });
    // what is gone cannot be forced
    expect(await rolledBack("swept", two, { force: true })).toMatchObject({ type: "FlipFailed" });
    expect(await rolledBack("swept")).toMatchObject({ type: "ReleaseWentLive", body: { deploymentId: one } });
  });

  it("a rollback that fails leaves the pin that a person set", async () => {
    const downWhile = join(world.folder, "waits");
    await world.live("waits", { downWhile });
    await world.live("waits");
    await world.api.change("web", "waits", "pin", { reason: "frozen" });
    await writeFile(downWhile, "");
    expect((await rolledBack("waits")).type).toBe("FlipFailed");
    expect((await at("waits")).pin?.reason).toBe("frozen");
    const next = await world.deploy("waits");
    await world.reached(next, "held");
    await world.api.change("web", "waits", "unpin");
    await world.reached(next, "success");
  });
});
