import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/support/run-cli.ts";
import type { LoggedEvent } from "../support/api-client.ts";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, HOSTILE, openDashboardRoom, WIDER } from "../support/dashboard.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser(["--host-resolver-rules=MAP attacker.example 127.0.0.1"]);

let world: World;
let here: DashboardRoom;
let one: string;
let two: string;
beforeAll(async () => {
  world = await startWorld({ environments: ["production", "watched"] });
  one = await world.live("production");
  two = await world.live("production");
  here = await openDashboardRoom(world);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
});

const at = (path: string): string => here.at(path);
const form: DashboardRoom["form"] = (...all) => here.form(...all);
const cookieName = (): string => `shiplog_session_${new URL(world.dev.apiUrl).port}`;
const pin = (): Promise<string | undefined> => world.api.environment("web", "production").then((found) => found.pin?.reason);

describe("the page's address", () => {
  it("asks who does not know a token to sign in, and shows nothing", async () => {
    for (const path of ["/", "/log", "/environments/web/production", `/deployments/${one}`]) {
      const answer = await fetch(at(path), { redirect: "manual" });
      const to = path === "/" ? "" : `?to=${encodeURIComponent(path)}`;
      expect([answer.status, answer.headers.get("location"), await answer.text()]).toEqual([302, `/signin${to}`, ""]);
    }
    expect((await form("/signin", here.same, { token: "wrong" })).status).toBe(401);
    expect((await fetch(at("/"), { headers: { cookie: `${cookieName()}=wrong` }, redirect: "manual" })).headers.get("location")).toBe(
      "/signin",
    );
  });

  it("keeps the session from scripts, other sites and other days", async () => {
    const { status, headers } = await form("/signin", here.same, { token: world.dev.token, name: "ann" });
    expect([status, headers.get("location")]).toEqual([303, "/"]);
    const kept = "Max-Age=43200; Path=/; HttpOnly; SameSite=Strict";
    expect(headers.getSetCookie()).toEqual([expect.stringMatching(new RegExp(`^${cookieName()}=shs_[\\w-]+; ${kept}$`))]);
  });

  it("takes a name as a header can hold it, and says where nothing of it is left", async () => {
    for (const [name, actor] of [
      ["Łukasz Zoë", "ukasz Zoe"],
      ["O\u2019Brien", "OBrien"],
      ["李雷", undefined],
    ] as const) {
      const answer = await form("/signin", here.same, { token: world.dev.token, name });
      if (actor === undefined) {
        expect([name, answer.status]).toEqual([name, 401]);
        expect(await answer.text()).toContain("Latin letters");
        continue;
      }
      const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
      expect(await (await fetch(at("/"), { headers: { cookie } })).text()).toContain(`>${actor} (token local)</a>`);
    }
  });

  it("does not take the token itself for a session, as an earlier release kept it", async () => {
    const { status } = await fetch(at("/"), { headers: { cookie: `${cookieName()}=${world.dev.token}` }, redirect: "manual" });
    expect(status).toBe(302);
  });

  it("lets nobody in by a session that was ended: by its own sign-out, or by somebody else", async () => {
    const own = await openDashboardRoom(world);
    const other = await openDashboardRoom(world);
    expect((await own.read("/")).status).toBe(200);
    expect((await form("/signout", own.same, {})).headers.get("location")).toBe("/signin");
    expect((await own.read("/")).status).toBe(302);

    const { text } = await other.read("/sessions");
    const [, id] = /<strong>\(this one\)<\/strong>.*?(ses_\w+)/s.exec(text) ?? [];
    await form(`/sessions/${id}/end`, here.same, { key: crypto.randomUUID() });
    expect((await other.read("/")).status).toBe(302);
    expect((await here.read("/")).status).toBe(200);
    const { body } = await world.api.get("events?type=SessionEnded");
    const told = (body as { events: LoggedEvent[] }).events.filter(({ stream }) => stream === `session/${id}`);
    expect(told.map(({ actor }) => actor)).toEqual(["ann (token local)"]);
  });

  it("shows a token that may only look no button, and refuses it what it asks for all the same", async () => {
    const reader = await openDashboardRoom(world, world.dev.readToken);
    for (const path of ["/", "/environments/web/production", `/deployments/${one}`]) {
      expect((await here.read(path)).text).toContain('class="button"');
      expect((await reader.read(path)).text).not.toContain('class="button"');
    }
    expect((await reader.read("/environments/web/production/pin")).text).toContain("This token may look, and change nothing.");
    expect((await form("/environments/web/production/pin", reader.same, { key: "k", reason: "no" })).status).toBe(403);
    expect(await pin()).toBeUndefined();
  });

  it("goes on where one wanted to go, and to no other address", async () => {
    for (const [to, goes] of [
      ["/log?type=ReleaseWentLive", "/log?type=ReleaseWentLive"],
      ["//attacker.example/", "/"],
      ["/\\attacker.example", "/"],
      ["https://attacker.example", "/"],
    ])
      expect((await form("/signin", here.same, { token: world.dev.token, to: to ?? "" })).headers.get("location")).toBe(goes);
  });

  it("asks once more in its own name where another site's link led here, since the session is not sent with that", async () => {
    const answer = await fetch(at("/log"), { headers: { "sec-fetch-site": "cross-site" }, redirect: "manual" });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<meta http-equiv="refresh" content="0">')]);
  });

  it("takes no form of any size", async () => {
    expect((await form("/signin", here.same, { token: "x".repeat(70_000) })).status).toBe(413);
  });

  it("runs no script but its own, is not kept, and is framed by nobody", async () => {
    const { headers } = await fetch(at("/"), { headers: { cookie: here.cookie } });
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    );
    expect([headers.get("cache-control"), headers.get("x-content-type-options")]).toEqual(["no-store", "nosniff"]);
  });

  it.each([
    ["another site", { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }],
    ["an older browser on another site", { origin: "https://attacker.example" }],
    ["nobody who says so", {}],
    ["a sandboxed frame", { origin: "null", "sec-fetch-site": "cross-site" }],
  ])("refuses a form that comes from %s", async (_, headers) => {
    const answer = await form("/environments/web/production/pin", { ...headers, cookie: here.cookie } as Record<string, string>, {
      key: crypto.randomUUID(),
      reason: "forged",
    });
    expect([answer.status, await pin()]).toEqual([403, undefined]);
  });

  it("does what a form asks once, however often it is sent", async () => {
    const key = crypto.randomUUID();
    const { version } = await world.api.environment("web", "production");
    const answers = await Promise.all([1, 2, 3].map(() => form("/environments/web/production/pin", here.same, { key, reason: "twice" })));
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect((await world.api.environment("web", "production")).version).toBe(version + 1);
    await form("/environments/web/production/unpin", here.same, { key: crypto.randomUUID() });
    expect(await pin()).toBeUndefined();
  });

  it("says the engine's reason where the engine refuses", async () => {
    const answer = await form(`/deployments/${one}/cancel`, here.same, { key: crypto.randomUUID() });
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain("cannot be cancelled");
  });

  it("leaves the API as it was: programs alone, by their token", async () => {
    expect((await fetch(at("/v1/environments"), { headers: { cookie: here.cookie } })).status).toBe(401);
    const page = { authorization: `Bearer ${world.dev.token}`, origin: world.dev.apiUrl };
    expect((await fetch(at("/v1/environments"), { headers: page })).status).toBe(403);
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });

  it("a deployment is followed to its end without a click", async () => {
    const id = await world.deploy("watched");
    await page.goto(at(`/deployments/${id}`));
    await page.locator(".badge.live", { hasText: "success" }).waitFor({ timeout: 60_000 });
    expect(await page.getByText("is live", { exact: true }).count()).toBe(1);
    expect(await page.getByRole("table", { name: "Events" }).getByText("DeploymentSucceeded").count()).toBe(1);
  });

  it("a rollback is read, confirmed and done, by keyboard alone", async () => {
    await page.goto(at("/environments/web/production"));
    await page.getByRole("link", { name: "Roll back…" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Roll back web / production" }).waitFor();
    expect(await page.locator("code.cli").innerText()).toBe(`shiplog rollback ${one} --site web --env production`);
    await page.locator("#reason:focus").waitFor();
    await page.keyboard.type("500s on checkout");
    await page.keyboard.press("Enter");
    await page.locator(".badge.held", { hasText: "pinned" }).first().waitFor();
    await until("what was live before is live", async () => (await world.api.environment("web", "production")).live?.deploymentId === one);
    await page.getByText("“500s on checkout”").first().waitFor();
    const { pin, live } = await world.api.environment("web", "production");
    expect([live?.why, live?.actor, pin?.reason]).toEqual(["500s on checkout", "ann (token local)", "500s on checkout"]);
  });

  it("is unpinned, locked and unlocked by mouse", async () => {
    for (const [link, button, done] of [
      ["Unpin…", "Unpin", "Pin…"],
      ["Lock…", "Lock", "Unlock…"],
      ["Unlock…", "Unlock", "Lock…"],
    ] as const) {
      await page.goto(at("/environments/web/production"));
      await page.getByRole("link", { name: link, exact: true }).click();
      if (link === "Lock…") await page.getByLabel("Why").fill("migration");
      await page.getByRole("button", { name: button, exact: true }).click();
      await page.getByRole("link", { name: done, exact: true }).waitFor();
    }
  });

  it("a lock that somebody else holds is opened where one says so", async () => {
    await world.api.change("web", "production", "lock", { reason: "theirs" });
    for (const [force, done] of [
      [false, "That did not work"],
      [true, "web / production"],
    ] as const) {
      await page.goto(at("/environments/web/production/unlock"));
      if (force) await page.getByLabel("Also where somebody else holds it").check();
      await page.getByRole("button", { name: "Unlock", exact: true }).click();
      await page.getByRole("heading", { name: done }).waitFor();
    }
    expect((await world.api.environment("web", "production")).lock).toBeNull();
  });

  it("what is read stays where it is while the page updates", async () => {
    await page.goto(at(`/deployments/${two}`));
    await page.setViewportSize({ width: 1_280, height: 900 });
    const read = await page.locator("pre.log").evaluate((log) => {
      log.scrollTop = 50;
      log.ownerDocument.querySelector("main")?.setAttribute("data-live", "1");
      return log.scrollTop;
    });
    await page.locator("pre.log").focus();
    const first = await page.locator("pre.log").elementHandle();
    await until("the page was put in anew", async () => !(await first?.evaluate((log) => log.isConnected)));
    expect(await page.locator("pre.log").evaluate((log) => [log.scrollTop, log === log.ownerDocument.activeElement])).toEqual([read, true]);
    expect(read).toBeGreaterThan(0);
  });

  it("the past is as the API has it, and nothing can be done there", async () => {
    for (const { at: moment } of await world.eventsOf("production", "ReleaseWentLive")) {
      const { body } = await world.api.get(`environments/web/production?at=${encodeURIComponent(moment)}`);
      const then = (body as { environment: { live: { sequence: number } | null } }).environment;
      await page.goto(at(`/environments/web/production?at=${encodeURIComponent(moment)}`));
      const badges = await page.locator("article header .badge.live").allInnerTexts();
      expect(badges.join().replace(/\s+/g, " ")).toContain(`live #${then.live?.sequence}`);
      expect(await page.locator("a.button").count()).toBe(0);
      // how long ago is told from then
      if (then.live !== null) expect(await page.locator(".release time").first().innerText()).toBe("0 s ago");
      expect(await page.getByText(`The past: ${moment}.`).count()).toBe(1);
    }
  });

  it("hostile text is text: it runs nothing, hides nothing, and breaks no line of the page", async () => {
    await world.api.change("web", "production", "pin", { reason: HOSTILE });
    for (const path of ["/", "/environments/web/production", "/log"]) {
      await page.goto(at(path));
      expect(await page.title()).not.toBe("owned");
      expect(await page.locator("img").count()).toBe(0);
      const text = await page.locator("main").innerText();
      expect(["\u202e", "\u001b"].filter((hidden) => text.includes(hidden))).toEqual([]);
      expect(await page.evaluate(WIDER)).toBe(false);
    }
    await world.api.change("web", "production", "unpin", {});
  });

  it("axe finds nothing on any screen, in light and dark, and none is wider than a telephone", async () => {
    const paths = [
      "/",
      "/environments/web/production",
      "/environments/web/production/rollback",
      "/environments/web/production/lock",
      "/deployments",
      `/deployments/${two}`,
      `/deployments/${two}?at=${new Date().toISOString()}`,
      "/log",
      "/sessions",
      "/nothing",
    ];
    expect(await here.faults(page, paths)).toEqual([]);
  });

  it("is opened from a terminal, signed in as who is there, by a link that works once", async () => {
    const env = { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token, SHIPLOG_ACTOR: "bob" };
    const { out } = await runCli(["open", "--print"], { env });
    const link = out.trim();
    for (const [whose, heading] of [
      ["first", "Environments"],
      ["second", "Shiplog"],
    ] as const) {
      const other = await (browser as Browser).newContext();
      const opened = await other.newPage();
      await opened.goto(link);
      await opened.getByRole("heading", { name: heading }).waitFor();
      expect([whose, opened.url().includes("shs_")]).toEqual([whose, false]);
      if (whose === "first") expect(await opened.getByRole("link", { name: "bob (token local)" }).count()).toBe(1);
      else expect(await opened.getByRole("alert").innerText()).toContain("This session is over");
      await other.close();
    }

    const browserWas = join(world.folder, "opened");
    await writeFile(join(world.folder, "browser"), `#!/bin/sh\necho "$1" > ${browserWas}\n`, { mode: 0o755 });
    const opened = await runCli(["open"], { env: { ...env, BROWSER: join(world.folder, "browser") } });
    expect([opened.code, opened.out]).toEqual([0, `Opened ${world.dev.apiUrl} in the browser.\n`]);
    const given = await until("the browser was started", () => readFile(browserWas, "utf8").catch(() => undefined));
    expect(given).toMatch(new RegExp(`^${world.dev.apiUrl}/signin#shs_`));
  });

  it("signs out, and the way back asks for the token", async () => {
    await page.goto(at("/"));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    await page.goto(at("/log"));
    expect(new URL(page.url()).pathname).toBe("/signin");
  });
});
