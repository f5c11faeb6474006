import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, openDashboardRoom } from "../support/dashboard.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();
const PAGE = "/environments/web/production";

let world: World;
let here: DashboardRoom;
let one: string;
let two: string;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
  one = await world.live("production");
  two = await world.live("production");
  here = await openDashboardRoom(world);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

const cutPath = (id: string): string => `${PAGE}/releases/${id}/cut`;
const endedOf = async (id: string): Promise<string | null | undefined> =>
  (await world.api.environment("web", "production")).routes.find(({ deploymentId }) => deploymentId === id)?.ended;

describe("releases in the dashboard", () => {
  it("are listed with their addresses and until when each is reached, and only what is not live can be cut off", async () => {
    const { text } = await here.read(PAGE);
    const [, table = ""] = /<table><caption>Releases that are reached<\/caption>(.*?)<\/table>/s.exec(text) ?? [];
    const rows = table.split("<tr>").slice(2);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain(two);
    expect(rows[0]).toMatch(/r-2<.*lambda-url.*while it is live/s);
    expect(rows[1]).toContain(one);
    expect(rows[1]).toMatch(/r-1<.*window.*in 23 h/s);
    expect(rows.map((row) => row.includes(`href="${cutPath(one)}"`))).toEqual([false, true]);
    expect(text).not.toContain(cutPath(two));
    expect(text).toMatch(/class="release".* · at <span class="sha">r-2<\/span>/);
  });

  it("are listed without a button for a token that may only look, and as they were in the past", async () => {
    const reader = await openDashboardRoom(world, world.dev.readToken);
    const { text } = await reader.read(PAGE);
    expect(text).toContain("Releases that are reached");
    expect(text).not.toContain("/cut");
    expect((await reader.read(cutPath(one))).text).toContain("This token may look, and change nothing.");
    expect((await reader.form(cutPath(one), reader.same, { key: "k" })).status).toBe(403);
    expect(await endedOf(one)).toBeNull();

    const was = (await world.api.events("environments/web/production")).find(({ type }) => type === "ReleaseWentLive");
    const past = (await here.read(`${PAGE}?at=${was?.position}`)).text;
    expect(past).toMatch(/r-1<.*while it is live/s);
    expect(past).not.toMatch(/r-2<|\/cut/);
  });

  it("are refused with the engine's reason where one is live", async () => {
    const { status } = await here.form(cutPath(two), here.same, { key: crypto.randomUUID() });
    expect([status, await endedOf(two)]).toEqual([409, null]);
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  it("one is cut off after it was read what that does, once", async () => {
    const page = await (browser as Browser).newPage();
    await here.signIn(page);
    expect(await here.faults(page, [PAGE, cutPath(one)])).toEqual([]);
    await page.goto(here.at(PAGE));
    await page.getByRole("link", { name: "Cut…" }).click();
    await page.getByRole("heading", { name: /^Cut dep_.* off$/ }).waitFor();
    expect(await page.getByText("what its open pages ask for is answered by what is live").count()).toBe(1);
    expect(await page.locator("code.cli").innerText()).toBe(`shiplog skew cut ${one}`);
    await page.getByLabel("Why").fill("it charges twice");
    await page.getByRole("button", { name: "Cut it off" }).click();
    await page.getByRole("heading", { name: "web / production" }).waitFor();
    expect(await endedOf(one)).toBe("cut");
    expect(await page.getByRole("link", { name: "Cut…" }).count()).toBe(0);
    const ended = (await world.api.events("environments/web/production")).filter(({ type }) => type === "ReleaseEnded");
    expect(ended.map(({ actor, body }) => [actor, body.why])).toEqual([["ann (token local)", "it charges twice"]]);
  });
});
