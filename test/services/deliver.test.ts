import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, it } from "vitest";
import type { WebhookKind } from "../../domain/webhook/events.ts";
import { NotYet, Unprocessable } from "../../engine/kit/consumer.ts";
import { type DeliveryMessage, deliveryId } from "../../engine/webhooks/delivery.ts";
import type { Posted } from "../../engine/webhooks/post.ts";
import { LARGEST_PAYLOAD, signedHeaders, standardBody } from "../../engine/webhooks/standard-message.ts";
import { verdictOn, waitAfter } from "../../engine/webhooks/verdict.ts";
import { answer, id, room, secretOf } from "../support/delivery-room.ts";
import { news } from "../support/news.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const timeOf = (ms: number): string => new Date(ms).toISOString();
let here: ReturnType<typeof room>;
beforeEach(() => {
  here = room();
});

describe("a signature", () => {
  it("is that of the specification's vector", () => {
    const body = '{"type":"deployment.live","timestamp":"2026-01-02T03:04:05Z","data":{"id":"dep_1"}}';
    expect(signedHeaders("msg_1", 1_674_087_231_000, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])).toEqual({
      "webhook-id": "msg_1",
      "webhook-timestamp": "1674087231",
      "webhook-signature": "v1,jh1Vvbnmi41GOfyMEEYHvKU6zvw6aeYLJ5qu8kwK7Zs=",
    });
  });
  it("is made with every secret that is good now, and with no other", async () => {
    here.now = Date.now();
    here.secret = {
      ...here.secret,
      signing: [
        { secret: secretOf(3), until: null, cause: "c" },
        { secret: secretOf(2), until: here.now + 1, cause: "b" },
        { secret: secretOf(1), until: here.now - 1, cause: "a" },
      ],
    };
    await here.run(here.message());
    const [{ headers, body } = { headers: {}, body: "" }] = here.posts;
    for (const n of [2, 3])
      expect(new Webhook(secretOf(n)).verify(body, headers as Record<string, string>)).toMatchObject({ type: "BuildStarted" });
    expect(() => new Webhook(secretOf(1)).verify(body, headers as Record<string, string>)).toThrow();
  });
});

describe("the payload", () => {
  it("names the event, its order, what changed and for whom", () => {
    const { event, stream, version, position, site, environment, deployment, status, live, actor, commit, reason } = news();
    expect(JSON.parse(standardBody(news()))).toMatchObject({
      type: "BuildStarted",
      timestamp: news().at,
      data: { id: event, stream, version, position, site, environment, deployment, status, live, actor, commit, reason },
    });
  });
  it("is small enough, however much people write", () => {
    const most = news({
      reason: "ü".repeat(2_000),
      actor: "ü".repeat(200),
      commit: { sha: "0".repeat(64), message: "ü".repeat(500), author: "ü".repeat(200), branch: "ü".repeat(250) },
      lastLines: ["ü".repeat(100_000)],
    });
    expect(Buffer.byteLength(standardBody(most))).toBeLessThan(LARGEST_PAYLOAD / 2);
  });
});

describe("the schedule", () => {
  it("is that of Standard Webhooks, a fifth longer at most", () => {
    const seconds = Array.from({ length: 9 }, (_, index) => waitAfter(index + 1, 0) / 1_000);
    expect(seconds).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(waitAfter(2, 0.999)).toBeLessThanOrEqual(360_000);
  });

  it("keeps the delivery's id, waits as a row for each attempt, and ends as a dead letter with the reason", async () => {
    here.answer = answer(500);
    const first = here.message();
    let message: DeliveryMessage = first;
    for (let attempt = 1; attempt <= 9; attempt++) {
      await here.run(message);
      const due = here.now + waitAfter(attempt, 0);
      expect(here.row()).toMatchObject({ status: "pending", attempts: attempt, nextAt: timeOf(due) });
      expect(here.waiting.get(`${first.delivery}/${attempt + 1}`)).toMatchObject({ due, message: { attempt: attempt + 1, due } });
      message = here.waiting.get(`${first.delivery}/${attempt + 1}`)?.message ?? expect.unreachable();
      here.now = due;
    }
    await expect(here.run(message)).rejects.toThrow(`BuildStarted was not delivered to ${id} in 10 attempts: it answered 500`);
    expect(here.posts).toHaveLength(10);
    expect(new Set(here.posts.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([first.delivery]));
    expect(here.row()).toMatchObject({ status: "dead", attempts: 10, reason: "it answered 500" });
    expect(here.events.map(({ type }) => type)).toEqual(["WebhookAdded"]);
  });

  it("waits as long as the endpoint asks for, and sends nothing else to it meanwhile", async () => {
    here.answer = answer(429, { retryAfter: "120" });
    const first = here.message();
    await here.run(first);
    expect(here.waiting.get(`${first.delivery}/2`)?.due).toBe(here.now + 120_000);
    const other = here.message({ delivery: deliveryId("event.1", id) });
    await here.run(other);
    expect(here.waiting.get(`${other.delivery}/1`)).toEqual({ due: here.now + 120_000, message: { ...other, due: here.now + 120_000 } });
    expect(here.posts).toHaveLength(1);
    // whoever looks at it sees until when it waits
    expect(here.rows.get(other.delivery)).toMatchObject({ status: "pending", attempts: 0, nextAt: timeOf(here.now + 120_000) });
    here.now += 120_000;
    here.answer = answer(200);
    await here.run(other);
    expect(here.health).toEqual({ failingSince: 0, throttledUntil: 0 });
  });

  it("hides a message for a busy endpoint's sake a few times, a minute in all, and keeps it as a row after that", async () => {
    here.lines.set(0, here.now + 30_000).set(1, here.now + 30_000);
    const message = here.message();
    for (const [receives, seconds] of [
      [1, 1],
      [2, 3],
      [3, 8],
      [4, 15],
    ] as const)
      await expect(here.run(message, { receives })).rejects.toMatchObject({ name: "NotYet", seconds });
    await here.run(message, { receives: 5 });
    const due = here.now + 2_500;
    expect([...here.waiting]).toEqual([[`${message.delivery}/1`, { due, message: { ...message, due } }]]);
    expect(here.posts).toHaveLength(0);
  });

  it("hides what came a moment too early, and keeps what came much too early as a row", async () => {
    await expect(here.run(here.message({ due: here.now + 3_000 }))).rejects.toMatchObject({ name: "NotYet", seconds: 3 });
    const early = here.message({ due: here.now + 3 * HOUR });
    await here.run(early);
    expect([...here.waiting.values()]).toEqual([{ due: early.due, message: early }]);
    expect(here.posts).toHaveLength(0);
  });

  it("holds nothing back for a time that only a wrong clock can have given", async () => {
    here.health = { failingSince: 0, throttledUntil: here.now + 3 * DAY };
    await here.run(here.message({ due: here.now + 3 * DAY }));
    expect([here.posts.length, here.row()?.status]).toEqual([1, "delivered"]);
  });

  it("lets what a person asks for wait beside the planned attempt of the same number", async () => {
    for (const byHand of [false, true]) await here.run(here.message({ attempt: 2, due: here.now + HOUR, byHand }));
    expect([...here.waiting.values()].map(({ message }) => message.byHand)).toEqual([false, true]);
  });

  it("keeps one row for what comes again after it began to wait, and sends nothing twice", async () => {
    here.answer = answer(500);
    const message = here.message({ attempt: 4 });
    await here.run(message);
    const [waits] = here.waiting.values();
    here.now += 60_000;
    await here.run(message, { receives: 2 });
    expect([...here.waiting.values()]).toEqual([waits]);
    expect(here.posts).toHaveLength(1);
  });
});

describe("a verdict", () => {
  const verdict = (status: number | null, more: Partial<Posted> = {}, kind: WebhookKind = "standard") =>
    verdictOn(kind, 1, { ...answer(status ?? 0, more), status }, Date.UTC(2026, 0, 1), 0);

  it.each([200, 201, 204, 299])("%i is delivered", (status) => {
    expect(verdict(status).is).toBe("delivered");
  });
  it.each([100, 301, 302, 308, 400, 401, 404, 500])("%i comes again", (status) => {
    expect(verdict(status)).toMatchObject({ is: "retry", pauseMs: 0 });
  });
  it.each([429, 502, 504])("%i throttles", (status) => {
    expect(verdict(status)).toMatchObject({ is: "retry", pauseMs: 30_000 });
  });
  it("410 ends and disables", () => {
    expect(verdict(410)).toEqual({ is: "giveUp", reason: "it answered 410", disable: true, endpoint: true });
    expect(verdict(410, { answer: "channel_is_archived" }, "slack")).toEqual({
      is: "giveUp",
      reason: "it answered 410 channel_is_archived",
      disable: true,
      endpoint: true,
    });
  });
  it.each([
    [400, "invalid_blocks"],
    [403, "action_prohibited"],
    [404, "no_service"],
  ])("Slack's %i %s is not tried again", (status, word) => {
    expect(verdict(status, { answer: word }, "slack")).toEqual({
      is: "giveUp",
      reason: `it answered ${status} ${word}`,
      disable: false,
      endpoint: status !== 400,
    });
  });
  it("no answer, an endless one and a refused address come again with their reason", () => {
    expect(verdict(null, { fault: "it refuses connections" })).toMatchObject({ is: "retry", reason: "it refuses connections" });
    expect(verdict(200, { fault: "its answer is larger than 64 KB" })).toMatchObject({ is: "retry" });
    expect(verdict(302)).toMatchObject({ reason: expect.stringContaining("redirects are not followed") });
  });
  it.each([
    ["30", 30_000],
    ["Thu, 01 Jan 2026 00:10:00 GMT", 600_000],
    ["999999999", 24 * HOUR],
    ["Thu, 01 Jan 2020 00:00:00 GMT", 5_000],
    ["soon", 5_000],
  ])("Retry-After: %s", (retryAfter, waitMs) => {
    expect(verdict(503, { retryAfter })).toMatchObject({ waitMs });
  });
});

describe("an endpoint", () => {
  it("at which nothing arrived for five days is disabled", async () => {
    here.answer = answer(500);
    await here.run(here.message());
    here.now += 4 * 24 * HOUR;
    await here.run(here.message({ delivery: "msg_b" }));
    expect(here.state.disabled).toBeNull();
    here.now += 24 * HOUR;
    // the first failure of a message after days may be a blip
    await here.run(here.message({ delivery: "msg_c" }));
    expect(here.state.disabled).toBeNull();
    await expect(here.run(here.message({ delivery: "msg_c", attempt: 5 }))).rejects.toBeInstanceOf(Unprocessable);
    expect(here.state.disabled).toBe("nothing arrived since 2026-11-23T12:00:00.000Z; the last time it answered 500");
    expect(here.rows.get("msg_c")?.status).toBe("dead");
  });
  it("of Slack that refuses one message is not failing", async () => {
    here = room("slack");
    here.answer = answer(400, { answer: "invalid_blocks" });
    await expect(here.run(here.message())).rejects.toBeInstanceOf(Unprocessable);
    expect(here.health.failingSince).toBe(0);
    expect(here.state.disabled).toBeNull();
  });
  it("that took something meanwhile is not", async () => {
    here.answer = answer(500);
    await here.run(here.message());
    here.now += 4 * 24 * HOUR;
    here.answer = answer(200);
    await here.run(here.message({ delivery: "msg_b" }));
    expect(here.health.failingSince).toBe(0);
    here.now += 2 * 24 * HOUR;
    here.answer = answer(500);
    // late enough to disable an endpoint that failed for so long
    await here.run(here.message({ delivery: "msg_c", attempt: 5 }));
    expect(here.state.disabled).toBeNull();
  });
  it("that is disabled or removed hears nothing, but a disabled one what a person asks for", async () => {
    here.happen({ type: "WebhookDisabled", v: 1, body: { reason: "gone" } });
    await here.run(here.message());
    expect(here.row()).toMatchObject({ status: "dropped", reason: "the endpoint is disabled" });
    await here.run(here.message({ byHand: true }));
    expect([here.posts.length, here.row()?.status]).toEqual([1, "delivered"]);
    here.happen({ type: "WebhookRemoved", v: 1, body: {} });
    await here.run(here.message({ delivery: "msg_b", byHand: true }));
    expect([here.posts.length, here.rows.get("msg_b")?.status]).toEqual([1, "dropped"]);
  });
  it("that is disabled keeps of a dropped message how often it was tried, though its sender has not said so yet", async () => {
    here.happen({ type: "WebhookDisabled", v: 1, body: { reason: "gone" } });
    await here.run(here.message({ attempt: 3 }));
    expect(here.row()).toMatchObject({ status: "dropped", attempts: 2 });
  });
  it("that is removed while a message is on its way to it is no dead letter; one whose secret is gone is", async () => {
    here.readSecret = () => undefined;
    await expect(here.run(here.message())).rejects.toThrow(`the secret of ${id} is gone`);
    here.readSecret = () => {
      here.happen({ type: "WebhookRemoved", v: 1, body: {} });
      return undefined;
    };
    await here.run(here.message());
    expect([here.posts.length, here.row()?.status, here.row()?.reason]).toEqual([0, "dropped", "the endpoint was removed"]);
    expect(here.lines.size).toBe(0);
  });
  it("gets two requests at once, and one while it fails", async () => {
    here.lines.set(0, here.now + 30_000);
    await here.run(here.message());
    expect(here.posts).toHaveLength(1);
    here.health = { failingSince: here.now - 1, throttledUntil: 0 };
    await expect(here.run(here.message({ delivery: "msg_b" }))).rejects.toBeInstanceOf(NotYet);
    // whoever held it has crashed
    here.now += 31_000;
    await here.run(here.message({ delivery: "msg_b" }));
    expect(here.posts).toHaveLength(2);
    expect(here.lines.size).toBe(0);
  });
  it("is held for longer than any request to it takes", async () => {
    here.stuckLine = true;
    await here.run(here.message());
    expect(here.lines.get(0)).toBeGreaterThan(here.now + 20_000);
  });
});

describe("a message", () => {
  it("is delivered also where its line could not be given back", async () => {
    here.stuckLine = true;
    await here.run(here.message());
    expect([here.posts.length, here.row()?.status]).toEqual([1, "delivered"]);
  });
  it("that was sent by hand is not sent on to an endpoint that is disabled", async () => {
    here.answer = answer(500);
    const message = here.message({ byHand: true });
    await here.run(message);
    const waits = here.waiting.get(`${message.delivery}/2`)?.message ?? expect.unreachable();
    expect(waits.byHand).toBe(false);
    here.happen({ type: "WebhookDisabled", v: 1, body: { reason: "gone" } });
    here.now = waits.due;
    await here.run(waits);
    expect([here.posts.length, here.row()?.status]).toEqual([1, "dropped"]);
  });
  it("that a person asked for is sent also where a planned attempt took its number meanwhile, and not where that delivered it", async () => {
    here.answer = answer(500);
    const asked = here.message({ byHand: true });
    await here.run(here.message());
    here.happen({ type: "WebhookDisabled", v: 1, body: { reason: "gone" } });
    here.answer = answer(200);
    await here.run(asked);
    expect([here.posts.length, here.row()]).toMatchObject([2, { status: "delivered", attempts: 2 }]);
    await here.run(asked);
    expect(here.posts).toHaveLength(2);
  });
  it("keeps its newest dozen of tries, however often a person asks", async () => {
    here.answer = answer(500);
    for (let attempt = 1; attempt <= 15; attempt++) await here.run(here.message({ attempt, byHand: true })).catch(() => undefined);
    expect(here.row()?.tries.map(({ attempt }) => attempt)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
  });
  it("that comes twice is sent once", async () => {
    await here.run(here.message());
    await here.run(here.message());
    expect(here.posts).toHaveLength(1);
  });
  it("whose sender crashes after the request is sent once more, with the same id", async () => {
    const message = here.message();
    here.crash = true;
    await expect(here.run(message)).rejects.toThrow("the power went");
    await here.run(message);
    expect(here.posts.map(({ headers }) => headers["webhook-id"])).toEqual([message.delivery, message.delivery]);
    expect(here.row()).toMatchObject({ status: "delivered", attempts: 1 });
  });
  it("that failed, and whose sender crashes, has its next attempt waiting already", async () => {
    here.answer = answer(500);
    here.crash = true;
    await expect(here.run(here.message({ attempt: 2 }))).rejects.toThrow("the power went");
    expect([...here.waiting.values()].map(({ message }) => message.attempt)).toEqual([3]);
  });
  it("that is given up without an answer says why in the log of deliveries, and is sent where its letter is redriven", async () => {
    here.readSecret = () => {
      throw new Error("the store of secrets is away");
    };
    await expect(here.run(here.message())).rejects.toThrow("is away");
    expect(here.row()).toMatchObject({ status: "pending", attempts: 0 });
    await expect(here.run(here.message(), { last: true })).rejects.toThrow("is away");
    expect(here.row()).toMatchObject({ status: "dead", attempts: 0, nextAt: null, reason: "the store of secrets is away" });
    here.readSecret = () => here.secret;
    await here.run(here.message());
    expect(here.row()).toMatchObject({ status: "delivered", attempts: 1 });
  });
  it("that is sent again by hand and given up again says the new reason", async () => {
    here.readSecret = () => undefined;
    await expect(here.run(here.message())).rejects.toThrow("is gone");
    here.now += 1_000;
    here.readSecret = () => {
      throw new Error("the store of secrets is away");
    };
    await expect(here.run(here.message({ byHand: true }), { last: true })).rejects.toThrow("is away");
    expect(here.row()).toMatchObject({
      status: "dead",
      reason: "the store of secrets is away",
      updatedAt: new Date(here.now).toISOString(),
    });
  });
  it("that was delivered stays so where it is sent again by hand and given up", async () => {
    await here.run(here.message());
    here.readSecret = () => undefined;
    await expect(here.run(here.message({ attempt: 2, byHand: true }))).rejects.toThrow("is gone");
    expect(here.row()).toMatchObject({ status: "delivered", attempts: 1 });
  });
  it("that waits for its time is not given up", async () => {
    await expect(here.run(here.message({ due: here.now + 1_000 }), { last: true })).rejects.toBeInstanceOf(NotYet);
    expect(here.row()).toBeUndefined();
  });
  it("that came twice under one id, with other words, is the same to its receiver whatever crashes in between", async () => {
    const first = here.message({ news: news({ reason: "somebody tries it out" }) });
    here.crash = true;
    await expect(here.run(first)).rejects.toThrow("the power went");
    await here.run(here.message({ news: news({ reason: "somebody tries it out, a second later" }) }));
    await here.run(first);
    expect(here.posts.map(({ body }) => body)).toEqual(Array(2).fill(here.posts[0]?.body));
    expect(here.posts[0]?.body).toContain('"somebody tries it out"');
  });
  it("that was given up is a dead letter also where its sender crashes between the row and the letter", async () => {
    here.answer = answer(500);
    const last = here.message({ attempt: 10 });
    await expect(here.run(last)).rejects.toBeInstanceOf(Unprocessable);
    await expect(here.run(last)).rejects.toThrow(`BuildStarted was not delivered to ${id} in 10 attempts: it answered 500`);
    expect(here.posts).toHaveLength(1);
  });
  it("of a trial that fails is not sent again and is no dead letter", async () => {
    here.answer = answer(500);
    await here.run(here.message({ once: true, byHand: true }));
    expect([here.waiting.size, here.row()?.status, here.health.failingSince]).toEqual([0, "dead", 0]);
  });
  it("for Slack has no signature", async () => {
    here = room("slack");
    here.secret = { ...here.secret, signing: [] };
    await here.run(here.message());
    expect(here.posts[0]?.headers).toEqual({});
    expect(JSON.parse(here.posts[0]?.body ?? "")).toHaveProperty("blocks");
  });
  it("leaves neither the URL nor a secret in the log of deliveries", async () => {
    here.answer = answer(200, { answer: `you called ${here.secret.url} (/services/T0/hook) with ${secretOf(1)}` });
    await here.run(here.message());
    expect(here.row()?.tries[0]?.answer).toBe("you called *** (***) with ***");
  });
  it.each([
    ["written as PHP writes JSON", (url: URL) => JSON.stringify({ url: url.href }).replaceAll("/", "\\/")],
    ["of which it names the token alone", () => "unknown hook a-secret-token"],
    ["of which it names a value alone, decoded", () => "bad key one two three"],
    ["that is cut in the middle", (url: URL) => `no such hook ${url.href.slice(0, 40)}`],
    ["of which the token is cut in the middle", () => 'no such hook "a-secret-to'],
  ])("hides a URL %s", async (_, says) => {
    const url = "https://example.com/hooks/a-secret-token?key=one%20two%20three";
    here.secret = { ...here.secret, url };
    here.answer = answer(404, { answer: says(new URL(url)) });
    await here.run(here.message());
    const kept = here.row()?.tries[0]?.answer ?? "";
    expect(kept).toContain("***");
    expect(kept).not.toMatch(/a-secret|one.*two/);
  });
});

describe("people", () => {
  it.each<WebhookKind>(["standard", "slack"])("are named to an endpoint of the kind %s, and are pseudonyms in the row", async (kind) => {
    here = room(kind);
    const person = "per_01JFZ4ZT0E0000000000000001";
    here.people = { ...here.people, inJson: async (json) => json.replaceAll(person, "ann") };
    await here.run(here.message({ news: { ...news(), actor: `${person} (token ci)` } }));
    expect(here.posts[0]?.body).toContain("ann (token ci)");
    expect(here.posts[0]?.body).not.toContain(person);
    expect(JSON.stringify([...here.rows.values()])).not.toContain("ann");
  });
});

it("a receiver that sends back what it was sent leaves no name in the row", async () => {
  const person = "per_01JFZ4ZT0E0000000000000001";
  here.people = { ...here.people, inJson: async (json) => json.replaceAll(person, "ann") };
  here.answer = answer(500, { answer: '{"actor":"ann (token ci)"}' });
  await here.run(here.message({ news: { ...news(), actor: `${person} (token ci)` } })).catch(() => undefined);
  const [row] = [...here.rows.values()];
  expect(row?.tries[0]?.answer).toBe(`{"actor":"${person} (token ci)"}`);
});
