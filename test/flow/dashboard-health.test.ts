import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, openDashboardRoom } from "../support/dashboard.ts";
import { event, letterRoom } from "../support/letter-room.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();

let world: World;
let here: DashboardRoom;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
  here = await openDashboardRoom(world);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

const well = (text: string): boolean => text.includes("All 8 are well.");

describe("the health's page", () => {
  it("says of each part of a running engine that it is well, and what it cannot see", async () => {
    await until("the engine to be well", async () => well((await here.read("/health")).text));
    const { status, text } = await here.read("/health");
    expect(status).toBe(200);
    for (const words of [
      'href="/health" data-key="h" aria-current="page"',
      "What is not seen from here",
      "shiplog doctor",
      'data-live="15"',
    ])
      expect(text).toContain(words);
    for (const part of ["Relay", "Projections", "Reconciler", "Dead letters", "Steps", "Waiting messages", "Seals", "Code storage"])
      expect(text).toContain(`<th scope="row">${part}</th>`);
  });

  it("says that a dead letter lies there, leads to it, and says the command", async () => {
    const letters = letterRoom(world);
    await letters.poison("flip-alias", event("e1"));
    const { text } = await here.read("/health");
    expect(well(text)).toBe(false);
    for (const words of [
      "1 of 8 are not well.",
      "1 message could not be taken: flip-alias 1",
      'href="/quarantine"',
      "shiplog quarantine ls",
    ])
      expect(text).toContain(words);
    await letters.forget();
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });

  it("it is found by the navigation and by its keys", async () => {
    await page.goto(here.at("/"));
    await page.getByRole("link", { name: "Health" }).click();
    await page.getByRole("heading", { name: "Health" }).waitFor();
    await page.goto(here.at("/"));
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.getByRole("heading", { name: "Health" }).waitFor();
  });

  it("nothing of it is hidden from anybody, well or not", async () => {
    const letters = letterRoom(world);
    expect(await here.faults(page, ["/health"])).toEqual([]);
    await letters.poison("flip-alias", event("e2"));
    expect(await here.faults(page, ["/health"])).toEqual([]);
    await letters.forget();
  }, 60_000);
});
