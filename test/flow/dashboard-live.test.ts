import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, HOSTILE, openDashboardRoom, WIDER } from "../support/dashboard.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();

let world: World;
let here: DashboardRoom;
let first: string;
beforeAll(async () => {
  world = await startWorld({ environments: ["production", "broken", "slow"] });
  first = await world.live("production");
  here = await openDashboardRoom(world);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

/** Waits until the page says that it follows the stream. */
const follows = (page: Page) => page.locator("#alive", { hasText: /^live/ }).waitFor();

describe("the dashboard's address", () => {
  it("answers for names of this machine alone, and the stream too", async () => {
    const { hostname, port } = new URL(world.dev.apiUrl);
    for (const path of ["/", "/stream", "/signin", "/v1/stream", "/assets/live.js"])
      for (const host of ["attacker.example", `attacker.example:${port}`, "127.0.0.1.attacker.example"]) {
        const asked = request({ hostname, port, path, headers: { host, cookie: here.cookie } }).end();
        const [answer] = (await once(asked, "response")) as [{ statusCode: number; destroy(): void }];
        answer.destroy();
        expect([path, host, answer.statusCode]).toEqual([path, host, 403]);
      }
  });

  it("streams to who is signed in, and to nobody else", async () => {
    const cut = new AbortController();
    const answer = await fetch(here.at("/stream"), { headers: { cookie: here.cookie }, signal: cut.signal });
    expect([answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control")]).toEqual([
      200,
      "text/event-stream",
      "no-store",
    ]);
    cut.abort();
    expect((await fetch(here.at("/stream"), { redirect: "manual" })).status).toBe(302);
    // more than are open at a time, one after the other: each ends with who reads it
    for (let n = 0; n < 110; n++) {
      const one = new AbortController();
      const { status } = await fetch(here.at("/stream?last=%0Aodd"), { headers: { cookie: here.cookie }, signal: one.signal });
      expect([n, status]).toEqual([n, 200]);
      one.abort();
      if (n % 40 === 39) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  });

  it("has one script and one style sheet, and weighs little", async () => {
    const { text } = await here.read("/");
    const parts = await Promise.all(["/assets/live.js", "/assets/style.css"].map(async (path) => (await here.read(path)).text));
    expect([...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path).sort()).toEqual([
      "/assets/live.js",
      "/assets/style.css",
    ]);
    expect(parts[0]?.length).toBeLessThan(15_000);
    expect([text, ...parts].join("").length).toBeLessThan(50_000);
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    context = await (browser as Browser).newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    page = await context.newPage();
    await here.signIn(page);
  });
  // no test leaves to the next what it did, however it ended
  afterEach(async () => {
    await context.unrouteAll();
    await page.unrouteAll();
    for (const environment of ["production", "slow"]) await world.api.change("web", environment, "unpin", {});
  });

  it("what happens is on the page without a click, from one stream for all tabs; the next tab has it when that one is closed", async () => {
    const streams: Page[] = [];
    context.on("request", (asked) => {
      if (new URL(asked.url()).pathname === "/stream") streams.push(asked.frame().page());
    });
    const tabs = [await context.newPage(), await context.newPage(), await context.newPage()];
    for (const tab of tabs) {
      await tab.goto(here.at("/environments/web/production"));
      await follows(tab);
    }
    await page.goto("about:blank");
    await world.api.change("web", "production", "pin", { reason: "all see it" });
    for (const tab of tabs) await tab.getByText("all see it").first().waitFor({ timeout: 8_000 });
    // and told to who cannot see it
    expect(await tabs[0]?.locator("#told").textContent()).toBe("web / production is pinned");
    const holder = streams.at(-1);
    expect(new Set(streams.filter((tab) => tab !== page)).size).toBe(1);
    await holder?.close();
    const left = tabs.filter((tab) => tab !== holder);
    await until("another tab has the stream", async () => streams.at(-1) !== holder);
    await world.api.change("web", "production", "unpin", {});
    for (const tab of left) await tab.getByRole("link", { name: "Pin…", exact: true }).waitFor({ timeout: 8_000 });
    for (const tab of left) await tab.close();
  });

  it("a stream that is cut goes on, and nothing is lost or told twice", async () => {
    const wire = await startWire(new URL(world.dev.apiUrl).port);
    const away = await (browser as Browser).newContext();
    const tab = await away.newPage();
    await tab.goto(`${wire.url}/signin`);
    await tab.getByLabel("Your name").fill("ann");
    await tab.getByLabel("Token").fill(world.dev.token);
    await tab.getByRole("button", { name: "Sign in" }).click();
    await tab.getByRole("heading", { name: "Environments" }).waitFor();
    await tab.evaluate(() => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen, isOpen: false });
      type Source = { onmessage: unknown; addEventListener(type: string, told: () => void): void };
      const source = new (globalThis as unknown as { EventSource: new (path: string) => Source }).EventSource("/stream");
      source.onmessage = ({ data }: { data: string }) => seen.push((JSON.parse(data) as { id: string }).id);
      source.addEventListener("beat", () => Object.assign(globalThis, { isOpen: true }));
    });
    const seen = (): Promise<string[]> => tab.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    const { version } = await world.api.environment("web", "production");
    // the page has connections before that: what was open first has no place yet to go on from
    await until("the stream is open", () => tab.evaluate(() => (globalThis as unknown as { isOpen: boolean }).isOpen));
    for (let turn = 0; turn < 6; turn++) {
      await world.api.change("web", "production", turn % 2 === 0 ? "pin" : "unpin", { reason: String(turn) });
      if (turn % 2 === 0) wire.cut();
      await world.api.change("web", "production", turn % 2 === 0 ? "unpin" : "pin", { reason: `${turn} again` });
    }
    const told = (await world.api.events("environments/web/production", version)).map(({ id }) => id);
    expect(told.length).toBeGreaterThan(6);
    await until("all came", async () => (await seen()).length >= told.length);
    expect((await seen()).filter((id) => told.includes(id))).toEqual(told);
    await world.api.change("web", "production", "unpin", {});
    await away.close();
    await wire.close();
  });

  it("asks again by itself where there is no stream, and says which", async () => {
    await context.route("**/stream*", (route) => route.fulfill({ status: 501, body: "{}" }));
    await page.goto(here.at("/environments/web/production"));
    await page.locator("#alive", { hasText: /^asks every \d+ s$/ }).waitFor();
    await world.api.change("web", "production", "pin", { reason: "found by asking" });
    await page.getByText("found by asking").first().waitFor({ timeout: 60_000 });
    await world.api.change("web", "production", "unpin", {});
    await context.unroute("**/stream*");
  });

  it("says when nothing is heard of the engine any more", async () => {
    await page.goto(here.at("/"));
    await follows(page);
    await page.clock.install();
    await page.goto(here.at("/"));
    await context.route("**/stream*", (route) => route.abort());
    await page.clock.fastForward(60_000);
    await page.locator("#alive.late").waitFor();
    await context.unroute("**/stream*");
    await page.clock.resume();
  });

  it("the first error of a build that failed stands on the page, and its log can be searched and kept", async () => {
    const id = await world.deploy("broken", { failsWith: "Type error: Property 'color' does not exist on type 'Shirt'." });
    await world.reached(id, "failed");
    await page.goto(here.at(`/deployments/${id}`));
    await page.getByText("First error:").waitFor();
    expect(await page.locator(".reason mark").innerText()).toContain("Property 'color' does not exist");
    await page.getByLabel("Find in it").fill("property 'COLOR'");
    await page.keyboard.press("Enter");
    await page.getByText(/\d+ of \d+ lines have it/).waitFor();
    const lines = (await page.locator("section pre.log").last().innerText()).trim().split("\n");
    expect(lines.every((line) => line.includes("Property 'color'"))).toBe(true);
    const { status, text } = await here.read(`/deployments/${id}/log.txt`);
    expect([status, text]).toEqual([200, expect.stringContaining("Property 'color' does not exist")]);
  });

  /** Reaches what has the focus by Tab alone, as who has no mouse. */
  const tabTo = async (words: string): Promise<void> => {
    for (let steps = 0; steps < 80; steps++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate("document.activeElement.textContent")) === words) return;
    }
    throw new Error(`Tab does not lead to ${words}`);
  };
  /** Follows a link, gives the reason, and confirms. */
  const act = async (how: "mouse" | "keyboard", link: string, button: string, reason?: string): Promise<void> => {
    if (how === "mouse") {
      await page.getByRole("link", { name: link, exact: true }).click();
      if (reason !== undefined) await page.getByLabel("Why").fill(reason);
      await page.getByRole("button", { name: button, exact: true }).click();
    } else {
      await tabTo(link);
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: button, exact: true }).waitFor();
      if (reason !== undefined) {
        await page.locator("#reason:focus").waitFor();
        await page.keyboard.type(reason);
      }
      await tabTo(button);
      await page.keyboard.press("Enter");
    }
  };

  it.each(["mouse", "keyboard"] as const)(
    "an environment is pinned, unpinned, locked, unlocked and rolled back by %s alone",
    async (how) => {
      const second = await world.live("production");
      const since = (await world.api.environment("web", "production")).version;
      for (const [link, button, reason, done] of [
        ["Pin…", "Pin", "an audit", "Unpin…"],
        ["Unpin…", "Unpin", undefined, "Pin…"],
        ["Lock…", "Lock", "a migration", "Unlock…"],
        ["Unlock…", "Unlock", undefined, "Lock…"],
      ] as const) {
        await page.goto(here.at("/environments/web/production"));
        await act(how, link, button, reason);
        await page.getByRole("link", { name: done, exact: true }).waitFor();
      }
      await page.goto(here.at("/environments/web/production"));
      const { plan } = await world.api.rollbackPlan("web", "production");
      await act(how, "Roll back…", `Roll back to #${plan?.to.sequence}`, "500s on checkout");
      await until("it is rolled back", async () => (await world.api.environment("web", "production")).live?.deploymentId !== second);
      const told = (await world.api.events("environments/web/production", since)).filter(({ actor }) => actor === "ann (token local)");
      expect(told.map(({ type, body }) => [type, body.reason])).toEqual([
        ["EnvironmentPinned", "an audit"],
        ["EnvironmentUnpinned", undefined],
        ["EnvironmentLocked", "a migration"],
        ["EnvironmentUnlocked", undefined],
        ["FlipRequested", "rollback"],
        ["EnvironmentPinned", "500s on checkout"],
      ]);
      await world.api.change("web", "production", "unpin", {});
    },
  );

  it.each(["mouse", "keyboard"] as const)("a deployment is cancelled by %s alone", async (how) => {
    const gate = world.gate();
    const id = await world.deploy("slow", { waitsFor: gate.waitsFor });
    await world.reached(id, "building");
    await page.goto(here.at(`/deployments/${id}`));
    await act(how, "Cancel…", "Cancel it", "wrong branch");
    await page.locator(".badge.gone", { hasText: "cancelled" }).waitFor();
    const asked = (await world.api.events(`deployments/${id}`)).find(({ type }) => type === "CancelRequested");
    expect([asked?.actor, asked?.body.reason]).toEqual(["ann (token local)", "wrong branch"]);
    await gate.open();
  });

  it("hostile commits, branches, authors, reasons and lines of a build are text on every screen", async () => {
    const long = `${HOSTILE}</pre></textarea><script>document.title='owned'</script>${"y".repeat(10_000)}`;
    const source = await world.api.upload("web", await world.app({ failsWith: `Error: ${long}` }));
    const commit = {
      sha: "0123abc",
      message: HOSTILE.slice(0, 500),
      author: HOSTILE.slice(0, 200),
      branch: HOSTILE.slice(0, 250),
      dirty: false,
    };
    const { id } = await world.api.deploy("web", "broken", source, { commit, reason: HOSTILE.slice(0, 500) });
    await world.reached(id, "failed");
    await world.api.change("web", "broken", "pin", { reason: HOSTILE.slice(0, 500) });
    const paths = [
      "/",
      "/environments/web/broken",
      "/deployments",
      `/deployments/${id}`,
      `/deployments/${id}?find=img`,
      "/log",
      "/audit",
      `/compare?from=${first}&to=${id}`,
    ];
    for (const path of [...paths, `/environments/web/broken?at=${new Date().toISOString()}`]) {
      await page.goto(here.at(path));
      await page.locator("main").waitFor();
      expect([path, await page.title()]).not.toEqual([path, "owned"]);
      expect([path, await page.locator("main img, main script").count()]).toEqual([path, 0]);
      const text = await page.locator("body").innerText();
      expect([path, ["\u202e", "\u001b"].filter((hidden) => text.includes(hidden))]).toEqual([path, []]);
      expect([path, await page.evaluate(WIDER)]).toEqual([path, false]);
    }
    await world.api.change("web", "broken", "unpin", {});
  });

  it("the slider shows ten moments of the past as the API has them", async () => {
    await world.live("production");
    await world.api.rollback("web", "production", first);
    await until("it is live", async () => (await world.api.environment("web", "production")).live?.deploymentId === first);
    const events = await world.eventsOf("production");
    const from = Date.parse(events[0]?.at ?? "");
    const to = Date.parse(events.at(-1)?.at ?? "");
    const shown = new Set<string>();
    for (let n = 1; n <= 10; n++) {
      const moment = Math.round(from + ((to - from) * n) / 10);
      await page.goto(here.at("/environments/web/production"));
      await page.locator("#slider").evaluate((slider, value) => {
        (slider as unknown as { value: string }).value = String(value);
        slider.dispatchEvent(new Event("input"));
      }, moment);
      await page.locator("#slider").focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/[?&]at=/);
      const at = new URL(page.url()).searchParams.get("at") ?? "";
      expect(Date.parse(at)).toBe(moment);
      const { body } = await world.api.get(`environments/web/production?at=${encodeURIComponent(at)}`);
      type Then = { live: { sequence: number } | null; pin: object | null; lock: object | null; flipping: { sequence: number } | null };
      const { live, pin, lock, flipping } = (body as { environment: Then }).environment;
      const badges = (await page.locator("article header .badge").allInnerTexts()).map((text) => text.trim());
      expect(badges).toEqual([
        live === null ? "nothing live" : `live #${live.sequence}`,
        ...(flipping === null ? [] : [`going to #${flipping.sequence}`]),
        ...(pin === null ? [] : ["pinned"]),
        ...(lock === null ? [] : ["locked"]),
      ]);
      expect(await page.locator("a.button").count()).toBe(0);
      shown.add(badges.join());
    }
    expect(shown.size).toBeGreaterThan(1);
    await page.getByRole("link", { name: "Back to now" }).click();
    await page.waitForURL((url) => !url.searchParams.has("at"));
    await world.api.change("web", "production", "unpin", {});
  });

  it("what happened between the page and its stream is on it all the same, and a page that fails is not asked for again and again", async () => {
    await context.route("**/stream*", async (route) => {
      await world.api.change("web", "slow", "pin", { reason: "in between" });
      await route.continue();
    });
    await page.goto(here.at("/environments/web/slow"));
    await page.getByText("in between").first().waitFor({ timeout: 8_000 });
    await context.unroute("**/stream*");

    let asked = 0;
    await page.route("**/environments/web/slow", (route) => {
      asked += 1;
      return route.fulfill({ status: 500, body: "" });
    });
    await world.api.change("web", "slow", "unpin", {});
    await page.locator("#alive.late", { hasText: /^no answer for/ }).waitFor();
    await page.waitForTimeout(6_000);
    expect(asked).toBeLessThan(5);
    await page.unroute("**/environments/web/slow");
    await page.getByRole("link", { name: "Pin…", exact: true }).waitFor({ timeout: 20_000 });
  });

  it("the slider goes by keys: an arrow moves it, and Enter goes there", async () => {
    await page.goto(here.at("/"));
    await follows(page);
    await page.locator("#slider").focus();
    await page.keyboard.press("ArrowLeft");
    const moved = await page.locator("#slider").evaluate((slider) => {
      const { value, max, min } = slider as unknown as { value: string; max: string; min: string };
      return (Number(max) - Number(value)) / (Number(max) - Number(min));
    });
    expect([moved > 0.005, new URL(page.url()).search]).toEqual([true, ""]);
    await page.keyboard.press("Enter");
    await page.waitForURL(/[?&]at=/);
  });

  it("is walked through by keys, which do nothing while somebody types", async () => {
    await page.goto(here.at("/"));
    await follows(page);
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.waitForURL("**/deployments");
    await follows(page);
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.getByRole("heading", { name: "Environments" }).waitFor();
    await follows(page);
    await page.keyboard.press("/");
    await page.keyboard.type("gd?");
    expect(await page.locator("#find").inputValue()).toBe("gd?");
    await page.locator("#find").blur();
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await page.getByRole("heading", { name: "Keys" }).isVisible()).toBe(false);
  });

  it("copies an id, and shows times of here with UTC beside them", async () => {
    await page.goto(here.at(`/deployments/${first}`));
    await page.getByRole("button", { name: "copy the id" }).click();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(first);
    expect(await page.locator("time").first().getAttribute("title")).toMatch(/\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)$/);
  });
});

/** A wire to the engine that can be cut: every connection through it ends at once. */
const startWire = async (port: string) => {
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(Number(port), "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one
        .on("error", () => other.destroy())
        .on("close", () => {
          open.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const one of open) one.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
};
