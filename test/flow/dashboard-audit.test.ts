import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, HOSTILE, openDashboardRoom } from "../support/dashboard.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();
const FORMULA = '=HYPERLINK("https://evil.example","pay")';
const PINS = 60;

let world: World;
let here: DashboardRoom;
let deployment: string;
beforeAll(async () => {
  world = await startWorld({ environments: ["production", "preview"] });
  here = await openDashboardRoom(world);
  deployment = await world.live("production");
  await pin("preview", FORMULA);
  await pin("production", HOSTILE);
  for (let n = 1; n < PINS; n++) await pin("preview", `round ${n}`);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

const pin = async (environment: string, reason: string): Promise<void> => {
  await world.api.change("web", environment, "pin", { reason });
  await world.api.change("web", environment, "unpin");
};
const shiplog = (...words: string[]) => runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });
/** Ids of the trail's rows on a page. */
const idsOn = (text: string): string[] => [...text.matchAll(/<tr id="([\w-]{22}\.\d+)"/g)].map(([, id = ""]) => id);
const idsOf = async (query: string): Promise<string[]> =>
  (await world.api.get(`audit?limit=1000&${query}`)).body.rows.map(({ id }: { id: string }) => id);
const file = async (path: string) => {
  const answer = await fetch(here.at(path), { headers: { cookie: here.cookie } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

describe("the trail", () => {
  it("is told page by page, each event once and in the log's order", async () => {
    const found: string[] = [];
    let pages = 0;
    for (let path: string | undefined = "/audit"; path !== undefined && pages < 20; pages++) {
      const { text } = await here.read(path);
      found.push(...idsOn(text));
      path = /<a href="([^"]+)">Go on from there/.exec(text)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(found).toEqual(await idsOf(""));
    expect(found.length).toBeGreaterThan(2 * PINS);
    expect(pages).toBeGreaterThan(1);
  });

  it.each([
    "type=EnvironmentPinned",
    "site=web&environment=production",
    "actor=publish-release",
    "site=web&environment=preview&type=EnvironmentUnpinned",
  ])("shows what fits %s", async (query) => {
    const wanted = await idsOf(query);
    expect(wanted.length).toBeGreaterThan(0);
    expect(idsOn((await here.read(`/audit?${query}`)).text)).toEqual(wanted.slice(0, 100));
  });

  it("has from when until when in its address, and keeps the filters in its links", async () => {
    const [first] = (await world.api.get("audit?limit=1&type=EnvironmentPinned")).body.rows;
    const { text } = await here.read(`/audit?until=${encodeURIComponent(first.at)}&site=web`);
    expect(idsOn(text)).toEqual(await idsOf(`until=${encodeURIComponent(first.at)}&site=web`));
    expect(text).toContain(`/audit/export.csv?until=${encodeURIComponent(first.at)}&amp;site=web`);
    expect((await here.read("/audit?since=yesterday")).status).toBe(400);
    expect((await here.read("/audit?type=Nothing")).text).toContain("Nothing fits");
  });

  it("shows hostile text as text", async () => {
    const { text } = await here.read("/audit?site=web&environment=production&type=EnvironmentPinned");
    expect(text.includes("&lt;img")).toBe(true);
    expect([text.includes("<img"), text.includes("\u202e"), text.includes("\u001b")]).toEqual([false, false, false]);
  });
});

describe("a file of it", () => {
  it("is what the command prints, as JSON lines and as CSV", async () => {
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const query = `since=${encodeURIComponent(since)}&site=web&environment=preview`;
    const words = ["audit", "--since", since, "--site", "web", "--env", "preview"];
    for (const [name, option, type] of [
      ["csv", "--csv", "text/csv"],
      ["jsonl", "--json", "application/jsonl"],
    ] as const) {
      const { status, headers, text } = await file(`/audit/export.${name}?${query}`);
      expect([status, headers.get("content-type"), headers.get("content-disposition")]).toEqual([
        200,
        `${type}; charset=utf-8`,
        `attachment; filename="shiplog-audit.${name}"`,
      ]);
      expect(text.replaceAll("\r\n", "\n")).toBe((await shiplog(...words, option)).out);
    }
  });

  it("has no cell that a spreadsheet runs", async () => {
    const { text } = await file("/audit/export.csv?site=web&environment=preview&type=EnvironmentPinned");
    expect(text).toContain(`"'${FORMULA.replaceAll('"', '""')}"`);
    expect(text).not.toMatch(/(^|,)"?=HYPERLINK/m);
  });

  it("is only for who signed in", async () => {
    const answer = await fetch(here.at("/audit/export.csv"), { redirect: "manual" });
    expect([answer.status, await answer.text()]).toEqual([302, ""]);
  });
});

describe("what is sealed", () => {
  it("is told as far as it is known, and what is checked, and no more", async () => {
    const { number, count } = (await world.api.post("seals")).body.sealed;
    const sealed = (await here.read("/audit")).text;
    for (const words of [`${number} seals. The newest was made`, `holds ${count} commits`, "Nothing that was found is without a seal"])
      expect([words, sealed.includes(words)]).toEqual([words, true]);
    await world.api.change("web", "preview", "pin", { reason: "one more" });
    const later = (await here.read("/audit")).text;
    for (const words of ["In no seal: 1 commit", "Not checked here", "shiplog audit verify"])
      expect([words, later.includes(words)]).toEqual([words, true]);
    expect(later.replace(/Not checked here[^<]*/, "")).not.toMatch(/verified|intact|valid\b/i);
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });

  it("a row tells who, what, where and from where, and opens to its event's body", async () => {
    await page.goto(here.at("/"));
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByLabel("Event").fill("ReleaseWentLive");
    await page.keyboard.press("Enter");
    const row = page.locator("tr", { has: page.getByText("ReleaseWentLive", { exact: true }) });
    await row.waitFor();
    expect(new URL(page.url()).searchParams.get("type")).toBe("ReleaseWentLive");
    expect(await row.getByRole("link", { name: "web / production" }).count()).toBe(1);
    expect(await row.innerText()).toContain(`live: nothing to ${deployment}`);
    await row.locator("summary").click();
    await row.locator("pre").waitFor();
    expect(JSON.parse(await row.locator("pre").innerText())).toMatchObject({ deploymentId: deployment, reason: "deploy" });
    await page.goto(here.at("/audit?type=DeploymentAdmitted"));
    expect(await page.locator("tbody tr").innerText()).toMatch(/token:\S+\s+(127\.0\.0\.1|::1)/);
  });

  it("a file is downloaded under its name", async () => {
    await page.goto(here.at("/audit"));
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    expect(download.suggestedFilename()).toBe("shiplog-audit.csv");
  });

  it("axe finds nothing, in light and dark, and nothing is wider than a telephone", async () => {
    expect(await here.faults(page, ["/audit", "/audit?type=EnvironmentPinned&actor=ann", "/audit?type=Nothing"])).toEqual([]);
  });
});

describe("a log that was changed behind the engine's back", () => {
  it("is not shown: the page says where it breaks", async () => {
    const [first] = await world.dev.engine.store.read("environment/web/preview", 0, 1);
    if (first === undefined) throw new Error("nothing happened to web/preview");
    const Item = itemCodec(EVENTS_TABLE)({ ...first, body: first.body.replace("HYPERLINK", "HARMLESS") });
    await world.aws.clients.dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item }));
    const { status, text } = await here.read("/audit");
    expect([status, idsOn(text)]).toEqual([500, []]);
    expect(text).toContain("was changed behind Shiplog");
  });
});
