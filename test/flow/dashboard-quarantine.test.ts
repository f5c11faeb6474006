import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, HOSTILE, openDashboardRoom, WIDER } from "../support/dashboard.ts";
import { event, type LetterRoom, letterRoom } from "../support/letter-room.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();

let world: World;
let here: DashboardRoom;
let room: LetterRoom;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
  here = await openDashboardRoom(world);
  room = letterRoom(world);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

const letters: LetterRoom["letters"] = () => room.letters();
const poison: LetterRoom["poison"] = (...given) => room.poison(...given);
const told: LetterRoom["told"] = (type) => room.told(type);
const forget: LetterRoom["forget"] = () => room.forget();

describe("the quarantine's pages", () => {
  it("say that nothing is there, and how one asks from a terminal", async () => {
    const { status, text } = await here.read("/quarantine");
    expect(status).toBe(200);
    expect(text).toContain("shiplog quarantine ls");
    expect(text).toContain('href="/quarantine" data-key="q" aria-current="page"');
  });

  it("list what a consumer could not take, with its reason and what it speaks of, and show its body", async () => {
    const { messageId, reason } = await poison("flip-alias", event("e1"));
    const list = (await here.read("/quarantine")).text;
    for (const words of ["flip-alias", `href="/quarantine/${messageId}"`, "One dead letter", 'href="/environments/web/production"'])
      expect(list).toContain(words);
    const one = (await here.read(`/quarantine/${messageId}`)).text;
    for (const words of ["Dead letter of flip-alias", "Tried</dt><dd>once", "FlipRequested of", "&quot;id&quot;: &quot;e1&quot;"])
      expect(one).toContain(words);
    expect(reason.length).toBeGreaterThan(5);
    await forget();
  });

  it("show a hostile body as text that runs nothing and hides nothing", async () => {
    // no queue takes an escape as it is
    for (const body of [HOSTILE.replaceAll("\u001b", ""), JSON.stringify({ [HOSTILE]: HOSTILE })]) {
      const { messageId } = await poison("project", body);
      for (const path of ["/quarantine", `/quarantine/${messageId}`, `/quarantine/${messageId}/drop`]) {
        const { text } = await here.read(path);
        expect(text).not.toContain("<img");
        expect(["\u202e", "\u001b"].filter((hidden) => text.includes(hidden))).toEqual([]);
      }
    }
    await forget();
  });

  it("say of a letter that somebody was cut off from that it is there still", async () => {
    const letter = await poison("project", "half dropped");
    await room.dropHalf(letter, "old & wrong");
    for (const path of ["/quarantine", `/quarantine/${letter.messageId}`]) {
      const { text } = await here.read(path);
      for (const words of ["dropped, and still there", "by bob: “old &amp; wrong”. Ask for it once more."]) expect(text).toContain(words);
    }
    await forget();
  });

  it("say that a letter is gone, and who decided of it", async () => {
    const { messageId } = await poison("project", "gone soon");
    await forget();
    const { status, text } = await here.read(`/quarantine/${messageId}`);
    expect([status, text]).toEqual([404, expect.stringContaining("has dropped it")]);
  });

  it("take a form that is sent twice for one command, and none of another site", async () => {
    const { messageId } = await poison("project", "forms");
    const key = crypto.randomUUID();
    const foreign = { origin: "https://attacker.example", "sec-fetch-site": "cross-site", cookie: here.cookie };
    expect((await here.form(`/quarantine/${messageId}/drop`, foreign, { key, reason: "forged" })).status).toBe(403);
    expect((await here.form(`/quarantine/${messageId}/drop`, here.same, { key })).status).toBe(400);
    expect((await letters()).map(({ messageId }) => messageId)).toEqual([messageId]);
    const send = () => here.form(`/quarantine/${messageId}/drop`, here.same, { key, reason: "twice" });
    expect((await Promise.all([send(), send()])).map(({ status }) => status)).toEqual([303, 303]);
    expect((await told("LetterDropped")).filter(([stream]) => stream === `letter/${messageId}`)).toEqual([
      [`letter/${messageId}`, "twice", "ann (token local)"],
    ]);
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });

  it("a letter is found by the navigation, read, and sent again", async () => {
    const { messageId } = await poison("notify", "read me");
    await page.goto(here.at("/"));
    await page.getByRole("link", { name: "Quarantine" }).click();
    await page.locator(`a[href="/quarantine/${messageId}"]`).click();
    await page.getByRole("link", { name: "Send again…" }).click();
    expect(await page.locator("code.cli").innerText()).toBe(`shiplog quarantine redrive ${messageId}`);
    await page.getByLabel("Why").fill("once more");
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByRole("heading", { name: "Quarantine" }).waitFor();
    expect(await told("LetterRedriven")).toContainEqual([`letter/${messageId}`, "once more", "ann (token local)"]);
    await until("it again", async () => (await letters()).some((one) => one.messageId !== messageId));
    await forget();
  });

  it("a letter is dropped with a reason, and not without one", async () => {
    const { messageId } = await poison("notify", "drop me");
    await page.goto(here.at(`/quarantine/${messageId}`));
    await page.getByRole("link", { name: "Drop…" }).click();
    await page.getByRole("button", { name: "Drop it" }).click();
    expect(new URL(page.url()).pathname).toBe(`/quarantine/${messageId}/drop`);
    await page.getByLabel("Why").fill("nobody needs it");
    await page.getByRole("button", { name: "Drop it" }).click();
    await page.getByText("Every message found a consumer").waitFor();
    expect(await letters()).toEqual([]);
  });

  it("axe finds nothing, and a hostile body makes no page wider than a telephone", async () => {
    const { messageId } = await poison("project", JSON.stringify({ [HOSTILE]: HOSTILE }));
    const paths = ["/quarantine", `/quarantine/${messageId}`, `/quarantine/${messageId}/redrive`, `/quarantine/${messageId}/drop`];
    expect(await here.faults(page, paths)).toEqual([]);
    await page.goto(here.at(`/quarantine/${messageId}`));
    expect([await page.title(), await page.locator("img").count(), await page.evaluate(WIDER)]).toEqual([
      "Dead letter · Shiplog",
      0,
      false,
    ]);
    await forget();
    expect(await here.faults(page, ["/quarantine"])).toEqual([]);
  });
});
