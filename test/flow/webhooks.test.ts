import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Delivery } from "../../domain/webhook/delivery.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  world = await startWorld({ environments: ["production", "staging"], allowLoopbackWebhooks: true });
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

const env = () => ({ SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token });
const shiplog = (...words: string[]) => runCli(words, { env: env() });
/** Adds an endpoint that only hears of the environment, and waits until it is known everywhere. */
const add = async (path: string, more: object = {}): Promise<{ id: string; secret: string }> => {
  const { status, body, text } = await world.api.post("webhooks", { kind: "standard", url: receiver.url(path), ...more });
  if (status !== 201) throw new Error(text);
  const { id } = body.webhook;
  await until("the endpoint to be listed", async () => (await list()).some((one: { id: string }) => one.id === id));
  return { id, secret: body.secret };
};
const list = async () => (await world.api.get("webhooks")).body.webhooks;
const deliveries = async (id: string): Promise<Delivery[]> => (await world.api.get(`webhooks/${id}/deliveries`)).body.deliveries;
const settled = (id: string, is: (delivery: Delivery) => boolean) =>
  until(`a delivery to ${id}`, async () => (await deliveries(id)).find(is));
const pin = (environment = "production") => world.api.change("web", environment, "pin", { reason: "frozen" });
const unpin = (environment = "production") => world.api.change("web", environment, "unpin");
// what one test leaves, the next would hear of
afterEach(async () => {
  await unpin();
  for (const { id } of await list()) await world.api.post(`webhooks/${id}/remove`);
});

describe("a deployment", () => {
  it("is told step by step, signed, in the order of its stream, and once", async () => {
    const { id, secret } = await add("ok/standard-hook-path", { environment: "staging" });
    const slack = await add("ok/slack-hook-path", { kind: "slack", environment: "staging" });
    expect(slack.secret).toBeNull();
    const deployment = await world.live("staging");

    const got = await until("every message", async () => {
      const all = await receiver.at("ok/standard-hook-path");
      return all.some(({ body }) => JSON.parse(body).type === "DeploymentSucceeded") && all.length >= 5 ? all : undefined;
    });
    const told = got.map(
      ({ headers, body }) => new Webhook(secret).verify(body, headers) as { type: string; data: Record<string, unknown> },
    );
    const inOrder = told.toSorted((a, b) => Number(a.data.version) - Number(b.data.version));
    expect(inOrder.map(({ type }) => type)).toEqual([
      "DeploymentQueued",
      "BuildStarted",
      "BuildSucceeded",
      "ReleaseStarted",
      "DeploymentSucceeded",
    ]);
    expect(inOrder.at(-1)?.data).toMatchObject({
      stream: `deployment/${deployment}`,
      deployment,
      site: "web",
      environment: "staging",
      status: { before: "deploying", after: "success" },
      live: { before: null, after: { deployment, sequence: 1 } },
    });
    expect(new Set(got.map(({ headers }) => headers["webhook-id"])).size).toBe(5);
    expect(Math.max(...got.map(({ body }) => body.length))).toBeLessThan(20_000);

    const posts = await until("Slack's messages", async () => {
      const all = await receiver.at("ok/slack-hook-path");
      return all.length >= 5 ? all : undefined;
    });
    const texts = posts.map(({ body }) => JSON.parse(body).text as string);
    expect(texts.some((text) => text.startsWith("✅ web/staging live"))).toBe(true);
    const log = await settled(id, (one) => one.type === "DeploymentSucceeded" && one.status === "delivered");
    expect(log).toMatchObject({ attempts: 1, tries: [{ status: 200, answer: "ok", reason: null }] });
  });
});

describe("an endpoint that fails", () => {
  it("gets the same delivery again, with the same id", async () => {
    const { id, secret } = await add("flaky/one", { environment: "production" });
    await pin();
    const delivery = await settled(id, ({ status }) => status === "delivered");
    expect(delivery).toMatchObject({
      attempts: 2,
      tries: [{ status: 200 }, { status: 500, reason: "it answered 500", answer: "not now" }],
    });
    const [first, second] = await receiver.at("flaky/one");
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.headers["webhook-id"]).toBe(delivery.id);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(4_500);
    for (const one of [first, second]) new Webhook(secret).verify(one?.body ?? "", one?.headers ?? {});
  });

  it("that says 410 is disabled, and hears nothing until somebody enables it", async () => {
    const { id } = await add("gone/for-good", { environment: "production" });
    await pin();
    await until("it to be disabled", async () => (await list()).find((one: { id: string; disabled: unknown }) => one.id === id)?.disabled);
    expect((await settled(id, ({ status }) => status === "dead")).reason).toBe("it answered 410");
    const letters = async () => (await world.api.get("dead-letters")).body.letters as { consumer: string; reason: string; body: string }[];
    const letter = await until("the dead letter", async () =>
      (await letters()).find(({ consumer, reason }) => consumer === "deliver" && reason.includes(id)),
    );
    expect(letter.reason).toContain(`EnvironmentPinned was not delivered to ${id} in 1 attempts: it answered 410`);
    await unpin();
    await until("the next event to be passed over", async () => (await world.eventsOf("production", "EnvironmentUnpinned")).length > 0);
    expect(await receiver.at("gone/for-good")).toHaveLength(1);

    const { code, out } = await shiplog("webhooks", "enable", id);
    expect([code, out]).toEqual([0, `${id} is enabled.\n`]);
    expect((await world.api.get("events?type=WebhookDisabled")).body.events).toMatchObject([
      { stream: `webhook/${id}`, actor: "shiplog deliver", body: { reason: "it answered 410" } },
    ]);
  });

  it("delays no other", async () => {
    const ids: string[] = [];
    for (const name of ["hang/1", "hang/2", "hang/3"]) ids.push((await add(name, { environment: "production" })).id);
    ids.push((await add("ok/quick", { environment: "production" })).id);
    // several messages for each dead one first
    for (let turn = 0; turn < 3; turn++) {
      await pin();
      await unpin();
    }
    await until("the dead ones to be tried", async () => (await receiver.at("hang/1")).length > 0);
    await pin();
    await until("every message to the living one", async () => (await receiver.at("ok/quick")).length >= 7);
    // all that before the first request to a dead one came to its end
    for (const id of ids.slice(0, 3)) expect((await deliveries(id)).map(({ attempts }) => attempts)).toEqual(Array(7).fill(0));
  });

  it("that asks for a pause gets it, and nothing else meanwhile", async () => {
    const { id } = await add("busy/for-a-while", { environment: "production" });
    await pin();
    const [
      {
        nextAt,
        tries: [tried],
      } = { nextAt: "", tries: [] },
    ] = await until("the answer", async () => {
      const all = await deliveries(id);
      return all.some(({ attempts }) => attempts > 0) ? all : undefined;
    });
    expect(tried).toMatchObject({ status: 429, reason: "it answered 429", answer: "slow down" });
    // what the answer's Retry-After says
    const pause = Date.parse(nextAt ?? "") - Date.parse(tried?.at ?? "");
    expect(pause).toBeGreaterThanOrEqual(7_000);
    await unpin();
    const second = await until("the second event", async () => (await deliveries(id)).find(({ type }) => type === "EnvironmentUnpinned"));
    expect([second.attempts, (await receiver.at("busy/for-a-while")).length]).toEqual([0, 1]);
    const [first, next] = await until("the next request", async () => {
      const all = await receiver.at("busy/for-a-while");
      return all.length > 1 ? all : undefined;
    });
    expect((next?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(6_500);
  });
});

describe("by hand", () => {
  it("an endpoint is added from the line on stdin, which no shell history sees", async () => {
    const { code, out } = await runCli(["webhooks", "add", "-", "--kind", "slack", "--env", "staging"], {
      env: env(),
      input: `${receiver.url("ok/by-stdin")}\n`,
    });
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^id +wh_\w{26}\nkind +slack\nurl +http:\/\/127\.0\.0\.1:\d+\/…\nevents +\*\/staging\n$/),
    ]);
    const id = /wh_\w{26}/.exec(out)?.[0] ?? "";
    const { out: listed } = await shiplog("webhooks", "ls");
    expect(listed).toMatch(new RegExp(`ID +KIND +URL +EVENTS +ADDED +STATUS\\n(.*\\n)*${id} +slack +http\\S+ +\\*/staging .* enabled\\n`));
    expect(await shiplog("webhooks", "deliveries", id)).toMatchObject({
      code: 0,
      err: expect.stringContaining(`Nothing was sent to ${id} yet`),
    });
    expect((await shiplog("webhooks", "test", id)).code).toBe(0);
    expect(JSON.parse((await receiver.at("ok/by-stdin"))[0]?.body ?? "").text).toContain("test message");
    const { out: deliveries } = await shiplog("webhooks", "deliveries", id);
    expect(deliveries).toMatch(
      /^ID +EVENT +WHERE +AGE +STATUS\nmsg_\w+ +WebhookTest +shiplog\/staging +\d+s ago +delivered \(200\) in \S+\n$/,
    );
    expect(JSON.parse((await shiplog("webhooks", "deliveries", id, "--limit", "1", "--json")).out).deliveries).toHaveLength(1);
    expect((await shiplog("webhooks", "deliveries", id, "--limit", "0")).code).toBe(2);
    // a Slack endpoint's secret is its URL: there is nothing to make new
    expect(await shiplog("webhooks", "rotate", id)).toMatchObject({
      code: 6,
      err: expect.stringContaining("cannot be given a new secret"),
    });
    expect(await shiplog("webhooks", "rm", id)).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
  });

  it("an endpoint is added from an argument, tried, looked at, rotated, sent to again and removed", async () => {
    const added = await shiplog("webhooks", "add", receiver.url("ok/by-hand"), "--site", "web", "--type", "DeploymentFailed", "--json");
    expect(added.code).toBe(0);
    const { webhook, secret } = JSON.parse(added.out);
    expect(webhook).toMatchObject({ kind: "standard", filters: { site: "web", types: ["DeploymentFailed"] } });
    expect(webhook.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/…$/);
    expect(added.out).not.toContain("by-hand");

    const tried = await shiplog("webhooks", "test", webhook.id.slice(0, 12));
    expect([tried.code, tried.out]).toEqual([0, expect.stringMatching(/^msg_\w+ {2}delivered \(200\) in /)]);
    const [first] = await receiver.at("ok/by-hand");
    expect(JSON.parse(first?.body ?? "")).toMatchObject({ type: "WebhookTest" });

    const rotated = JSON.parse((await shiplog("webhooks", "rotate", webhook.id, "--json")).out).secret as string;
    const id = tried.out.split(" ")[0] as string;
    expect((await shiplog("webhooks", "redeliver", webhook.id, id)).code).toBe(0);
    const second = (await receiver.at("ok/by-hand"))[1];
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
    for (const one of [secret, rotated]) new Webhook(one).verify(second?.body ?? "", second?.headers ?? {});

    expect((await shiplog("webhooks", "ls")).out).toContain(webhook.id);
    const looked = await shiplog("webhooks", "deliveries", webhook.id, id);
    expect(looked.out).toMatch(/#1 .* 200 [\s\S]*#2 .* 200 /);
    expect((await shiplog("webhooks", "rm", webhook.id, "--yes")).code).toBe(0);
    expect((await shiplog("webhooks", "test", webhook.id)).code).toBe(2);
    expect(await world.dev.engine.webhookSecrets.read(webhook.id)).toBeUndefined();
  });

  it("what an endpoint answers is kept without its URL, and a trial that fails says so", async () => {
    const { id } = await add("echo/a-very-secret-path", { types: ["FlipFailed"] });
    const { code, out } = await shiplog("webhooks", "test", id);
    expect([code, out]).toEqual([5, expect.stringContaining("given up after one attempt: it answered 400")]);
    expect((await deliveries(id))[0]?.tries[0]?.answer).toBe("no such hook ***");
  });

  it("a message that cannot be sent at all ends a trial at once, with the reason", async () => {
    const { id } = await add("ok/without-secret", { types: ["FlipFailed"] });
    await world.dev.engine.webhookSecrets.forget(id);
    const { code, out } = await shiplog("webhooks", "test", id);
    expect([code, out]).toEqual([5, expect.stringMatching(new RegExp(`given up after 0 attempts: .*the secret of ${id} is gone`))]);
  });

  it.each([
    ["http://example.com/hook", "it must begin with https://"],
    ["https://user:pass@example.com/hook", "it holds a user name or password"],
    ["https://example.com:22/hook", "its port is 22"],
    ["https://169.254.169.254/latest", "its address 169.254.169.254 is not a public one"],
    ["https://nowhere.invalid/hook", "does not resolve"],
  ])("%s is refused with the reason", async (url, reason) => {
    const { code, err } = await shiplog("webhooks", "add", url);
    expect([code, err]).toEqual([2, expect.stringContaining(reason)]);
  });

  it("words that mean nothing are refused", async () => {
    expect((await shiplog("webhooks", "add", "https://example.com", "--type", "Nothing")).err).toContain("Known: DeploymentQueued");
    expect((await shiplog("webhooks", "add", "https://example.com", "--kind", "mail")).code).toBe(2);
    expect((await shiplog("webhooks", "add", "-")).err).toContain("No URL came by stdin");
    expect((await shiplog("webhooks", "test", "wh_nobody")).code).toBe(2);
  });
});
