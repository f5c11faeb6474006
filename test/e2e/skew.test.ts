import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Development, startDevelopment } from "../../local/development.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { startBrowser } from "../support/browser.ts";
import { until } from "../support/until.ts";
import { type Client, type Visit, visits } from "./support/pinned-visits.ts";

/** The example app in a real browser: what a page does that was open when another release went live, and what a reload does. */
const APP = join(import.meta.dirname, "../../examples/next-app");
const PLACE = ["next-app", "production"] as const;
const BUILD_MS = 400_000;
const FLIPS = 20;
const PER_SECOND = 60;

const browser: Browser | undefined = await startBrowser();
if (browser === undefined) console.log("no browser is here: what an open page does across a flip was not tried");

let folder: string;
let dev: Development;
let api: ApiClient;
let url: string;
let v1: string;
let v2: string;

const deploy = async (): Promise<string> => {
  const { id } = await api.deploy(...PLACE, await api.upload(PLACE[0], join(folder, PLACE[0])));
  await until(
    `${id} to be live`,
    async () => {
      const { status, reason } = await api.deployment(id);
      if (["failed", "cancelled", "superseded"].includes(status)) throw new Error(`${id} is ${status}: ${reason}`);
      return status === "success";
    },
    BUILD_MS,
  );
  return id;
};
const rollBack = async (to: string): Promise<void> => {
  const { sequence } = await api.rollback(...PLACE, to);
  await until("the rollback to be live", async () => (await api.environment(...PLACE)).live?.sequence === sequence);
};

/** What goes wrong in a page, as its visitor would see it. */
const faults: string[] = [];
const open = async (): Promise<Page> => {
  const page = await (browser as Browser).newPage();
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("response", (answer) => {
    if (answer.status() >= 400 && !answer.url().endsWith("/favicon.ico")) faults.push(`${answer.status()} ${answer.url()}`);
  });
  await page.goto(url, { waitUntil: "networkidle" });
  await page.evaluate("globalThis.stays = true");
  return page;
};
const made = (page: Page): Promise<string | null> => page.locator("#release").textContent();
/** Whether it is still the document that was opened. */
const stays = (page: Page): Promise<boolean> => page.evaluate("globalThis.stays === true");
const goTo = async (page: Page, label: string, path: string): Promise<void> => {
  await page.getByRole("link", { name: label }).click();
  await page.waitForURL(`**${path}`);
};
const greet = async (page: Page): Promise<string | null> => {
  await goTo(page, "Action", "/action");
  await page.getByLabel("Your name").fill("Ada");
  await page.getByRole("button", { name: "Greet" }).click();
  return page.locator("#greeting").getAttribute("data-release");
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-skew-"));
  const app = join(folder, PLACE[0]);
  await cp(APP, app, { recursive: true, filter: (path) => ![".next", ".open-next", ".shiplog", "node_modules"].includes(basename(path)) });
  dev = await startDevelopment({ tableDelayMs: 0, dataDir: join(folder, "data"), appDir: app, log: () => undefined });
  api = apiClient(dev.apiUrl, dev.token);
  url = dev.sites[0]?.url ?? "";
  v1 = await deploy();
}, 600_000);

afterAll(async () => {
  await browser?.close();
  await dev?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 60_000);

describe.skipIf(browser === undefined)("a page that is open while another release goes live", () => {
  it("goes on in its own release without a reload, and is the new one's after a reload", async () => {
    const page = await open();
    expect(await page.locator("html").getAttribute("data-release")).toBe(v1);
    v2 = await deploy();
    await goTo(page, "Per request", "/ssr");
    await page.getByRole("heading", { name: "Rendered for each request" }).waitFor();
    expect(await made(page)).toBe(v1);
    expect(await greet(page)).toBe(v1);
    expect(await stays(page)).toBe(true);
    await page.reload({ waitUntil: "networkidle" });
    expect(await page.locator("html").getAttribute("data-release")).toBe(v2);
    expect(await greet(page)).toBe(v2);
    await page.close();
    expect(faults).toEqual([]);
  }, 600_000);

  it("does so when that is a rollback", async () => {
    const page = await open();
    expect(await page.locator("html").getAttribute("data-release")).toBe(v2);
    await rollBack(v1);
    await goTo(page, "Per request", "/ssr");
    expect(await greet(page)).toBe(v2);
    expect(await stays(page)).toBe(true);
    await page.reload({ waitUntil: "networkidle" });
    expect(await page.locator("html").getAttribute("data-release")).toBe(v1);
    const picture = page.locator("main img").first();
    await goTo(page, "Harbour", "/");
    expect(await picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(0);
    await page.close();
    expect(faults).toEqual([]);
  }, 120_000);
});

describe("clients that keep a release's id", () => {
  it(`are answered by it alone through ${FLIPS} flips and rollbacks under ${PER_SECOND} requests a second, and documents never go back`, async () => {
    v2 ??= await deploy();
    const clients: Client[] = [v1, v2].map((release) => ({ url, release }));
    const load = visits(clients, PER_SECOND);
    for (let n = 0; n < FLIPS; n++) await rollBack(n % 2 === 0 ? v2 : v1);
    const seen = await load.stop();
    const kinds = [...Map.groupBy(seen, ({ kind }) => kind)].map(([kind, all]) => `${kind} ${all.length}`);
    console.log(`${seen.length} requests (${kinds.join(", ")})`);
    expect(kinds).toHaveLength(5);
    expect(seen.filter(({ failed }) => failed)).toEqual([]);
    const strays = seen.filter(({ kind, asked, release }) => kind !== "document" && release !== asked);
    expect(strays).toEqual([]);
    // Next.js reloads a page in full that is answered by another release
    expect(seen.filter(({ kind, says, asked }) => kind === "navigation" && says !== null && says !== asked)).toEqual([]);
    const documents = seen.filter(({ kind }) => kind === "document");
    const back = documents.filter((visit, n) =>
      documents.slice(0, n).some((before: Visit) => before.ended <= visit.began && before.sequence > visit.sequence),
    );
    expect(back).toEqual([]);
  }, 300_000);
});
