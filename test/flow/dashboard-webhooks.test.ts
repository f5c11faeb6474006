import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Delivery } from "../../domain/webhook/delivery.ts";
import { startBrowser } from "../support/browser.ts";
import { type DashboardRoom, openDashboardRoom } from "../support/dashboard.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";
import { startWorld, type World } from "../support/world.ts";

const browser: Browser | undefined = await startBrowser();

let world: World;
let here: DashboardRoom;
let receiver: Receiver;
/** Endpoints by how their receiver behaves (test/support/webhook-receiver.mjs); their paths are secret. */
const ids: Record<string, string> = {};
const secrets: string[] = [];
beforeAll(async () => {
  receiver = await startReceiver();
  world = await startWorld({ environments: ["production", "staging"], allowLoopbackWebhooks: true });
  here = await openDashboardRoom(world);
  expect((await here.read("/webhooks")).text).toContain("Nobody is told of anything. Add an endpoint: <code>shiplog webhooks add -</code>");
  await add("ok", { types: ["EnvironmentPinned"], environment: "production" });
  await add("broken");
  await add("gone");
  await add("echo");
  await world.api.change("web", "production", "pin", { reason: "frozen" });
  for (const [name, status] of [
    ["ok", "delivered"],
    ["broken", "pending"],
  ] as const)
    await settled(name, (delivery) => delivery.status === status && delivery.attempts > 0);
  await until("the one that is gone to be disabled", async () => (await world.api.get(`webhooks/${ids.gone}`)).body.webhook.disabled);
});
afterAll(async () => {
  await browser?.close();
  await world.close();
  await receiver.close();
});

const add = async (behaviour: string, more: object = {}): Promise<void> => {
  const secretPath = `very-secret-path-of-${behaviour}`;
  const { status, body, text } = await world.api.post("webhooks", {
    kind: "standard",
    url: receiver.url(`${behaviour}/${secretPath}`),
    ...more,
  });
  if (status !== 201) throw new Error(text);
  ids[behaviour] = body.webhook.id;
  secrets.push(secretPath, body.secret, body.secret.replace("whsec_", ""));
  await until("it to be listed", async () =>
    (await world.api.get("webhooks")).body.webhooks.some(({ id }: { id: string }) => id === body.webhook.id),
  );
};
const deliveriesOf = async (behaviour: string): Promise<Delivery[]> =>
  (await world.api.get(`webhooks/${ids[behaviour]}/deliveries`)).body.deliveries;
const settled = (behaviour: string, is: (delivery: Delivery) => boolean): Promise<Delivery> =>
  until(`a delivery to ${behaviour}`, async () => (await deliveriesOf(behaviour)).find(is));
const reread = async ({ webhook, id }: Delivery): Promise<Delivery> =>
  (await world.api.get(`webhooks/${webhook}/deliveries/${id}`)).body.delivery;
const pathOf = ({ webhook, id }: Delivery): string => `/webhooks/${webhook}/deliveries/${id}`;

describe("the API", () => {
  it("says of an endpoint since when nothing arrives, and of one that takes everything nothing", async () => {
    const health = async (name: string) => (await world.api.get(`webhooks/${ids[name]}`)).body.health;
    const [first] = await deliveriesOf("broken");
    expect(Date.parse((await health("broken")).failingSince)).toBeGreaterThanOrEqual(Date.parse(first?.createdAt ?? ""));
    expect(await health("ok")).toEqual({ failingSince: null, pausedUntil: null });
    await add("busy", { types: ["EnvironmentLocked"] });
    await world.api.change("web", "staging", "lock", { reason: "slow" });
    await until("it to ask for a pause", async () => (await health("busy")).pausedUntil !== null);
    expect((await here.read(`/webhooks/${ids.busy}`)).text).toMatch(/asked for a pause of \d+ s more/);
  });
});

describe("the pages", () => {
  it("show no secret, whatever they show", async () => {
    await settled("echo", ({ attempts }) => attempts > 0);
    const paths = ["/webhooks"];
    for (const name of Object.keys(ids)) {
      paths.push(`/webhooks/${ids[name]}`, `/webhooks/${ids[name]}/test`, `/webhooks/${ids[name]}/enable`);
      for (const delivery of await deliveriesOf(name)) paths.push(pathOf(delivery), `${pathOf(delivery)}/redeliver`);
    }
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) {
      const { status, text } = await here.read(path);
      expect([path, status, secrets.filter((secret) => text.includes(secret))]).toEqual([path, 200, []]);
    }
  });

  it("say how each endpoint does, what it hears of, and why one is disabled", async () => {
    const { text } = await here.read("/webhooks");
    const card = (name: string): string => new RegExp(`<article class="card" id="${ids[name]}">.*?</article>`, "s").exec(text)?.[0] ?? "";
    for (const [name, words] of [
      ["ok", ["enabled", "EnvironmentPinned; every site / production", "delivered"]],
      ["broken", ["failing", "every change of a status; everywhere", "Nothing has arrived since", "500 in"]],
      ["gone", ["disabled", "410"]],
    ] as const)
      for (const word of words) expect([name, word, card(name).includes(word)]).toEqual([name, word, true]);
    expect([card("ok").includes("failing"), card("ok").includes("Disabled")]).toEqual([false, false]);
  });

  it("have a delivery with each attempt and what was answered, as text", async () => {
    const { text } = await here.read(pathOf(await settled("broken", ({ attempts }) => attempts > 0)));
    expect(text).toContain('<pre tabindex="0">boom</pre>');
    expect(text).toMatch(/Next attempt<\/dt><dd><time datetime="[\d-]+T/);
    expect((await here.read(`/webhooks/${ids.ok}/deliveries/msg_none`)).status).toBe(404);
    expect((await here.read("/webhooks/wh_00000000000000000000000000")).status).toBe(404);
  });
});

describe("a form", () => {
  it("that sends a test sends one, however often it is sent", async () => {
    const key = crypto.randomUUID();
    const before = (await deliveriesOf("ok")).length;
    const answers = await Promise.all([1, 2].map(() => here.form(`/webhooks/${ids.ok}/test`, here.same, { key })));
    const [to] = answers.map(({ headers }) => headers.get("location") ?? "");
    expect(answers.map(({ status, headers }) => [status, headers.get("location")])).toEqual([
      [303, to],
      [303, to],
    ]);
    await settled("ok", (delivery) => pathOf(delivery) === to && delivery.status === "delivered");
    expect((await deliveriesOf("ok")).length).toBe(before + 1);
  });

  it("that sends a delivery again does nothing once it was tried since the form was made", async () => {
    const delivery = await settled("broken", ({ attempts }) => attempts > 0);
    const attempts = String(delivery.attempts);
    const send = () => here.form(`${pathOf(delivery)}/redeliver`, here.same, { key: crypto.randomUUID(), attempts });
    expect((await send()).status).toBe(303);
    const tried = await until("one attempt more", async () => {
      const now = await reread(delivery);
      return now.attempts > delivery.attempts ? now : undefined;
    });
    const again = await send();
    expect([again.status, again.headers.get("location")]).toEqual([303, pathOf(delivery)]);
    // another one is heard behind it, so it would have been there by now
    await world.api.post(`webhooks/${ids.ok}/test`);
    await settled("ok", ({ type, status, createdAt }) => type === "WebhookTest" && status === "delivered" && createdAt > tried.updatedAt);
    expect((await reread(delivery)).attempts).toBe(tried.attempts);
  });

  it("of another site is refused", async () => {
    const answer = await here.form(
      `/webhooks/${ids.gone}/enable`,
      { origin: "https://attacker.example", cookie: here.cookie },
      { key: "k" },
    );
    expect(answer.status).toBe(403);
    expect((await world.api.get(`webhooks/${ids.gone}`)).body.webhook.disabled).not.toBeNull();
  });
});

describe.skipIf(browser === undefined)("in a real browser (skipped where no Chromium is installed)", () => {
  let page: Page;
  beforeAll(async () => {
    page = await (browser as Browser).newPage();
    await here.signIn(page);
  });

  it("a test is read, confirmed and followed to its answer without a click", async () => {
    await page.goto(here.at("/"));
    await page.getByRole("link", { name: "Webhooks" }).click();
    await page.locator(`#${ids.ok} h2 a`).click();
    await page.getByRole("link", { name: "Send a test…" }).click();
    expect(await page.locator("code.cli").innerText()).toBe(`shiplog webhooks test ${ids.ok}`);
    await page.getByRole("button", { name: "Send it" }).click();
    await page.locator(".badge.live", { hasText: "delivered" }).waitFor();
    expect(await page.getByRole("table", { name: "Attempts" }).getByText("200").count()).toBe(1);
  });

  it("one that is disabled is enabled again, with a reason that the log has", async () => {
    await page.goto(here.at(`/webhooks/${ids.gone}`));
    await page.getByRole("link", { name: "Enable…" }).click();
    await page.getByLabel("Why").fill("the receiver is back");
    await page.getByRole("button", { name: "Enable it" }).click();
    await page
      .locator(".badge", { hasText: /enabled|failing/ })
      .first()
      .waitFor();
    const { events } = (await world.api.get("events?limit=1000&type=WebhookEnabled")).body;
    expect(events.map(({ body, actor }: { body: object; actor: string }) => [body, actor])).toEqual([
      [{ reason: "the receiver is back" }, "ann (token local)"],
    ]);
    await page.goto(here.at(`/webhooks/${ids.gone}`));
    expect(await page.getByRole("link", { name: "Enable…" }).count()).toBe(0);
  });

  it("what was sent is sent again, under its own id", async () => {
    const delivery = await settled("ok", ({ type, status }) => type === "EnvironmentPinned" && status === "delivered");
    const got = async (): Promise<number> =>
      (await receiver.all()).filter(({ path, headers }) => path.startsWith("/ok/") && headers["webhook-id"] === delivery.id).length;
    const before = await got();
    await page.goto(here.at(pathOf(delivery)));
    await page.getByRole("link", { name: "Send again…" }).click();
    expect(await page.getByText("it arrived: whoever takes it knows by its id").count()).toBe(1);
    await page.getByRole("button", { name: "Send it again" }).click();
    await until("it to come once more", async () => (await got()) === before + 1);
  });

  it("axe finds nothing, in light and dark, and nothing is wider than a telephone", async () => {
    const delivery = await settled("broken", ({ attempts }) => attempts > 0);
    const paths = ["/webhooks", `/webhooks/${ids.broken}`, pathOf(delivery), `${pathOf(delivery)}/redeliver`, `/webhooks/${ids.busy}`];
    expect(await here.faults(page, paths)).toEqual([]);
  });
});
