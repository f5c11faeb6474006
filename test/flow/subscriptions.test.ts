import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recorded } from "../../domain/kernel/event.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  world = await startWorld({ environments: ["production", "staging"], allowLoopbackWebhooks: true });
  await world.live("production");
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

const shiplog = (...words: string[]) => runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });
const add = async (path: string, ...words: string[]): Promise<{ id: string; secret: string }> => {
  const { code, out, err } = await shiplog("subscriptions", "add", receiver.url(path), ...words, "--json");
  if (code !== 0) throw new Error(err);
  const { subscription, secret } = JSON.parse(out);
  return { id: subscription.id, secret };
};
// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
const show = async (id: string): Promise<any> => JSON.parse((await shiplog("subscriptions", "show", id, "--json")).out).subscription;
const pin = (environment = "production") => world.api.change("web", environment, "pin", { reason: "frozen" });
const unpin = (environment = "production") => world.api.change("web", environment, "unpin");
/** The log as it is, of everything. */
const wholeLog = async (): Promise<Recorded[]> => (await world.api.get("events?since=000000000000000&limit=1000")).body.events;
const idsOf = (events: readonly Recorded[]): string[] => events.map(({ id }) => id);
/** What was given to a path in requests that were answered with 2xx, in order. */
const taken = async (path: string): Promise<Recorded[]> =>
  (await receiver.at(path)).flatMap(({ body, status }) => (status === 200 ? (JSON.parse(body).data.events as Recorded[]) : []));
const caughtUp = (id: string) => until(`${id} to be up to date`, async () => (await show(id)).lag.events === 0);
const expectInOrder = (events: readonly Recorded[]): void => {
  const versions = new Map<string, number>();
  for (const { stream, version, index } of events) {
    const place = version * 1_000 + index;
    expect(place, stream).toBeGreaterThan(versions.get(stream) ?? 0);
    versions.set(stream, place);
  }
};

describe("a subscription from the beginning", () => {
  it("is told all that happened before and after, once, signed, in the order of each stream", async () => {
    const { id, secret } = await add("ok/whole", "--from", "beginning");
    await pin();
    await unpin();
    await caughtUp(id);
    const log = await wholeLog();
    const got = await taken("ok/whole");
    expect(idsOf(got).toSorted()).toEqual(idsOf(log).toSorted());
    expect(got.find(({ id }) => id === log[0]?.id)).toEqual(log[0]);
    expectInOrder(got);
    for (const { body, headers } of await receiver.at("ok/whole"))
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: "events", data: { subscription: id } });
    const { lag, place, failing } = await show(id);
    expect([lag, failing]).toEqual([{ seconds: 0, events: 0, more: false }, null]);
    expect(place.position >= (log.at(-1)?.position ?? "")).toBe(true);
    expect((await shiplog("subscriptions", "ls")).out).toMatch(
      new RegExp(`ID +URL +EVENTS +LAG +STATUS\\n(.*\\n)*${id} +http\\S+ +all +up to date +following\\n`),
    );
    // webhooks are another list, and what only they hear of does not come here
    expect((await shiplog("webhooks", "ls", "--json")).out).not.toContain(id);
    expect(got.every(({ type }) => type !== "WebhookTest")).toBe(true);
  });
});

describe("a receiver that is down", () => {
  it("is told all of it in order once it is back, and its lag is seen meanwhile", async () => {
    const { id } = await add("switch/down", "--from", "beginning");
    await receiver.turn("down");
    for (let n = 0; n < 3; n++) {
      await pin();
      await unpin();
    }
    const failing = await until("it to fail", async () => ((await show(id)).failing?.attempts >= 2 ? show(id) : undefined));
    expect(failing).toMatchObject({ failing: { reason: "it answered 500" }, paused: null });
    expect(failing.lag.events).toBeGreaterThan(0);
    expect((await shiplog("subscriptions", "ls")).out).toMatch(
      new RegExp(`${id} .* behind, \\d+ events +failing, tried \\d+ times since .*: it answered 500`),
    );
    const tries = await receiver.at("switch/down");
    await receiver.turn("up");
    // the next wait is a minute: a person need not wait for it
    expect((await shiplog("subscriptions", "resume", id)).code).toBe(0);
    await caughtUp(id);
    const got = await taken("switch/down");
    expect(new Set(idsOf(got))).toEqual(new Set(idsOf(await wholeLog())));
    expect(got).toHaveLength(new Set(idsOf(got)).size);
    expectInOrder(got);
    expect((await show(id)).failing).toBeNull();
    // what was refused is known again by its id
    const refused = tries.filter(({ status }) => status === 500);
    expect(new Set(refused.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  it("that says 410 is paused with that reason", async () => {
    const { id } = await add("gone/feed", "--from", "beginning");
    const { paused } = await until("it to be paused", async () => ((await show(id)).paused === null ? undefined : show(id)));
    expect(paused.reason).toBe("it answered 410: it wants no more");
  });
});

describe("by hand", () => {
  it("a subscription is paused and resumed, and misses nothing", async () => {
    const { id } = await add("ok/paused", "--type", "EnvironmentPinned", "--env", "staging");
    expect(await shiplog("subscriptions", "pause", id)).toMatchObject({ code: 0, out: `${id} is paused.\n` });
    expect((await show(id)).paused.reason).toMatch(/^paused by /);
    await pin("staging");
    await unpin("staging");
    // one that is not paused gets it meanwhile, so this one was passed over
    const other = await add("ok/not-paused", "--type", "EnvironmentPinned", "--env", "staging", "--from", "1h");
    await caughtUp(other.id);
    expect([(await taken("ok/not-paused")).length, (await taken("ok/paused")).length]).toEqual([1, 0]);
    expect(await shiplog("subscriptions", "resume", id, "--reason", "its disk is larger")).toMatchObject({
      code: 0,
      out: `${id} goes on.\n`,
    });
    await caughtUp(id);
    expect((await taken("ok/paused")).map(({ stream, type }) => `${type} ${stream}`)).toEqual([
      "EnvironmentPinned environment/web/staging",
    ]);
  });

  it("a subscription is reset, and told again from there on, under other ids", async () => {
    const { id } = await add("ok/reset", "--from", "beginning", "--type", "EnvironmentPinned");
    await caughtUp(id);
    const first = await taken("ok/reset");
    const [, second] = first;
    expect(first.length).toBeGreaterThan(2);
    expect(await shiplog("subscriptions", "reset", id, "--from", second?.position ?? "")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--yes"),
    });
    const reset = await shiplog("subscriptions", "reset", id, "--from", second?.position ?? "", "-y", "--reason", "its store was lost");
    expect([reset.code, reset.out]).toEqual([0, `${id} is told the log from ${second?.position} on.\n`]);
    await until("it to be told again", async () => (await taken("ok/reset")).length >= first.length * 2 - 1);
    expect(idsOf(await taken("ok/reset"))).toEqual([...idsOf(first), ...idsOf(first.slice(1))]);
    expect(new Set((await receiver.at("ok/reset")).map(({ headers }) => headers["webhook-id"])).size).toBe(2);
    expect((await world.api.get("events?type=WebhookReset")).body.events).toMatchObject([
      { stream: `webhook/${id}`, body: { from: second?.position, reason: "its store was lost" } },
    ]);
  });

  it("a subscription that is removed is told nothing more, and leaves no secret", async () => {
    const { id } = await add("ok/removed", "--from", "beginning");
    await caughtUp(id);
    const before = (await receiver.at("ok/removed")).length;
    expect(await shiplog("subscriptions", "rm", id, "--yes")).toMatchObject({ code: 0, out: `${id} is removed.\n` });
    await pin();
    await unpin();
    const other = await add("ok/after-removal", "--from", "beginning");
    await caughtUp(other.id);
    expect((await receiver.at("ok/removed")).length).toBe(before);
    expect(await world.dev.engine.webhookSecrets.read(id)).toBeUndefined();
    expect(await world.dev.engine.views.place(id)).toBeUndefined();
    expect((await shiplog("subscriptions", "show", id)).code).toBe(2);
  });

  it("a subscription gets a new secret, and both sign for a day", async () => {
    const { id, secret } = await add("ok/rotated", "--type", "EnvironmentLocked");
    const rotated = JSON.parse((await shiplog("subscriptions", "rotate", id, "--json")).out).secret as string;
    await world.api.change("web", "staging", "lock", { reason: "an audit" });
    await world.api.change("web", "staging", "unlock");
    const [sent] = await until("the message", async () => {
      const all = await receiver.at("ok/rotated");
      return all.length > 0 ? all : undefined;
    });
    for (const one of [secret, rotated]) new Webhook(one).verify(sent?.body ?? "", sent?.headers ?? {});
  });

  it.each([
    [["https://169.254.169.254/latest"], "its address 169.254.169.254 is not a public one"],
    [["https://example.com", "--from", "yesterday"], "is neither a time nor a duration"],
    [["https://example.com", "--type", "Nothing"], "there are no events of the type Nothing"],
    [["https://example.com", "--site", "nowhere"], "nowhere"],
  ])("%j is refused with the reason", async (words, reason) => {
    const { code, err } = await shiplog("subscriptions", "add", ...words);
    expect([code, err]).toEqual([2, expect.stringContaining(reason)]);
  });

  it("an endpoint of another kind is no subscription", async () => {
    const { body } = await world.api.post("webhooks", { kind: "standard", url: receiver.url("ok/hook") });
    expect(await shiplog("subscriptions", "show", body.webhook.id)).toMatchObject({
      code: 2,
      err: expect.stringContaining("is no subscription"),
    });
  });
});
