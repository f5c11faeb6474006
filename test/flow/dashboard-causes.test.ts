import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, openDashboardRoom } from "../support/dashboard.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();

let world: World;
let here: DashboardRoom;
let deployment: string;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
  here = await openDashboardRoom(world);
  deployment = await world.live("production");
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

/** The event that a cause names, by hand. */
const idIn = (cause: string): string | undefined => cause.match(/^[\w-]{22}\.\d+/)?.[0];
const rowOf = (text: string, id: string): string => new RegExp(`<tr id="${id}">.*?</tr>`, "s").exec(text)?.[0] ?? "";

describe("the events of a page", () => {
  it("lead to what caused them and to what they led to, forth and back, wherever both are on it", async () => {
    const { text } = await here.read("/log");
    const { events } = (await world.api.get("events?limit=1000")).body;
    const caused = events.filter(({ cause }: { cause: string }) => idIn(cause) !== undefined);
    expect(caused.length).toBeGreaterThan(8);
    for (const { id, type, cause } of caused) {
      const by = idIn(cause) ?? "";
      expect([type, rowOf(text, id).includes(`<a href="#${by}">${cause}</a>`)]).toEqual([type, true]);
      expect([type, rowOf(text, by).includes(`<a href="#${id}">${type}</a>`)]).toEqual([type, true]);
    }
    const [asked] = events.filter(({ type }: { type: string }) => type === "DeploymentAdmitted");
    expect(rowOf(text, asked.id)).toContain(`cause: ${asked.cause}</p>`);
  });

  it("whose cause stands elsewhere lead to where it stands in the log", async () => {
    const { text } = await here.read(`/deployments/${deployment}`);
    const links = [...text.matchAll(/<a href="(\/events\/([^"?]+)\?before=[^"]+)"/g)];
    expect(links.length).toBeGreaterThan(1);
    for (const [, path = "", id = ""] of links) {
      const answer = await fetch(here.at(path), { headers: { cookie: here.cookie }, redirect: "manual" });
      const to = new URL(answer.headers.get("location") ?? "", here.at("/"));
      expect([answer.status, to.pathname, to.hash]).toEqual([302, "/log", `#${id}`]);
      expect(rowOf((await here.read(`${to.pathname}${to.search}`)).text, id)).not.toBe("");
    }
  });

  it("have no link to an event that there is not: it is said that it was not found", async () => {
    const { status, text } = await here.read(`/events/${"a".repeat(22)}.0?before=${new Date().toISOString()}`);
    expect([status, text.includes("was not found in the time before its effect")]).toEqual([404, true]);
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  it("a cause that is clicked stands out in the log, and axe finds nothing there", async () => {
    const page = await (browser as Browser).newPage();
    await here.signIn(page);
    await page.goto(here.at(`/deployments/${deployment}`));
    await page.locator("summary", { hasText: "DeploymentQueued" }).click();
    await page.locator("details[open] a").first().click();
    await page.waitForURL(/\/log/);
    const target = page.locator("tr:target");
    expect(await target.innerText()).toContain("DeploymentAdmitted");
    const ground = (row: string) => page.evaluate(`getComputedStyle(document.querySelector("${row}")).backgroundColor`);
    expect(await ground("tr:target")).not.toBe(await ground("tbody tr:not(:target)"));
    const { pathname, search, hash } = new URL(page.url());
    expect(await here.faults(page, [`${pathname}${search}${hash}`])).toEqual([]);
  });
});
