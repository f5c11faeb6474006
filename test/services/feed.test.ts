import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { NotYet } from "../../engine/kit/consumer.ts";
import { LARGEST_PAYLOAD } from "../../engine/webhooks/standard-message.ts";
import { waitAfter } from "../../services/feed/feed.ts";
import { answer, secretOf } from "../support/delivery-room.ts";
import { BEGINNING, feedRoom, id } from "../support/feed-room.ts";
import { deploymentId } from "../support/samples.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const ids = (events: readonly { readonly id: string }[]): string[] => events.map((event) => event.id);
type Room = ReturnType<typeof feedRoom>;
/** Commits some seconds apart, so that what is read again at the end of the log is not everything. */
const write = (room: Room, commits: number, more: Parameters<Room["write"]>[0] = {}): void => {
  for (let n = 0; n < commits; n++) {
    room.write({ stream: `environment/web/e${n % 3}`, ...more });
    room.now += 20 * SECOND;
  }
};

describe("a subscription is told", () => {
  it("everything from its beginning on, once, in the log's order, signed, a hundred events at a time", async () => {
    const room = feedRoom();
    write(room, 230);
    await room.run();
    expect(ids(room.taken)).toEqual(ids(room.events()));
    expect(room.sent.map(({ events }) => events.length).every((count) => count <= 100)).toBe(true);
    expect(room.sent.every(({ body }) => Buffer.byteLength(body) < LARGEST_PAYLOAD)).toBe(true);
    const [first] = room.sent;
    expect(JSON.parse(first?.body ?? "")).toMatchObject({ type: "events", data: { subscription: id } });
    const { "webhook-timestamp": seconds, "webhook-signature": signature } = { ...first?.headers } as Record<string, string>;
    expect(signature).toBe(new Webhook(secretOf(1)).sign(first?.id ?? "", new Date(Number(seconds) * SECOND), first?.body ?? ""));
    await room.run();
    write(room, 2);
    await room.run();
    expect(ids(room.taken)).toEqual(ids(room.events()));
  });

  it("no more than a hundred events at once, though they are small", async () => {
    const room = feedRoom();
    room.write({ events: 250 });
    room.write({ events: 1 });
    await room.run();
    expect(ids(room.taken)).toEqual(ids(room.events()));
    expect(Math.max(...room.sent.map(({ events }) => events.length))).toBeLessThanOrEqual(100);
  });

  it("what is larger than a request may be alone", async () => {
    const room = feedRoom();
    write(room, 2);
    write(room, 1, { body: { reason: "x".repeat(30_000) } });
    write(room, 2);
    await room.run();
    expect(room.sent.map(({ events }) => events.length)).toEqual([2, 1, 2]);
  });

  it("from the position on that it was added with", async () => {
    const room = feedRoom();
    write(room, 5);
    const later = feedRoom({ from: room.events()[3]?.position ?? "" });
    write(later, 5);
    await later.run();
    expect(ids(later.taken)).toEqual(ids(later.events().slice(3)));
  });

  it("what appears a little below what it was told already", async () => {
    const room = feedRoom();
    room.write();
    await room.run();
    room.write({ stream: "environment/web/slow", late: 3 * SECOND });
    await room.run();
    expect(new Set(ids(room.taken))).toEqual(new Set(ids(room.events())));
    expect(room.taken).toHaveLength(2);
  });

  it("until its time is nearly over, and the rest by the next message", async () => {
    const room = feedRoom();
    write(room, 300);
    room.meanwhile = async () => {
      room.now += 15 * SECOND;
    };
    await room.run();
    expect(room.sent.length).toBe(3);
    room.meanwhile = async () => undefined;
    await room.run();
    expect(ids(room.taken)).toEqual(ids(room.events()));
  });

  it("by one message at a time: another one meanwhile sends nothing", async () => {
    const room = feedRoom();
    write(room, 3);
    room.meanwhile = async () => {
      room.meanwhile = async () => undefined;
      await room.run();
      // what a person asked for comes again
      await expect(room.run(true)).rejects.toThrow(NotYet);
    };
    await room.run();
    expect(room.sent).toHaveLength(1);
    expect(room.lines.size).toBe(0);
  });

  it("nothing by who stood still until another had gone on", async () => {
    const room = feedRoom();
    write(room, 150);
    room.meanwhile = async () => {
      room.meanwhile = async () => undefined;
      room.lines.clear();
      await room.run();
    };
    await room.run();
    const told = room.kept?.place.at;
    // it was told once more what was under way, and is behind nothing
    expect(new Set(ids(room.taken))).toEqual(new Set(ids(room.events())));
    await room.run();
    expect(room.kept?.place.at).toBe(told);
  });
});

describe("a receiver that fails", () => {
  it("is sent the same again, under the same id, after waits that grow to an hour, for ever", async () => {
    const room = feedRoom();
    write(room, 3);
    room.answer = answer(500);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 40; attempt++) {
      await room.run();
      const { failing } = room.kept?.place ?? {};
      expect(failing).toMatchObject({ attempts: attempt, reason: "it answered 500" });
      waits.push((failing?.nextAt ?? 0) - room.now);
      // not before its time
      room.now = (failing?.nextAt ?? 0) - 1;
      const before = room.sent.length;
      await room.run();
      expect(room.sent).toHaveLength(before);
      room.now += 1;
      write(room, 1);
    }
    expect(waits.slice(0, 8)).toEqual([5 * SECOND, ...[1, 2, 5, 15, 30, 60, 60].map((minutes) => minutes * MINUTE)]);
    expect(new Set(room.sent.map((sent) => sent.id)).size).toBe(1);
    expect(new Set(room.sent.map(({ body }) => body)).size).toBe(1);
    expect(room.state.disabled).toBeNull();
    room.answer = answer(200);
    room.now += MINUTE;
    await room.run(true);
    expect(ids(room.taken)).toEqual(ids(room.events()));
    expect(room.kept?.place.failing).toBeNull();
  });

  it("is not told what follows before it took what failed", async () => {
    const room = feedRoom();
    write(room, 250);
    room.meanwhile = async () => {
      room.answer = room.sent.length === 2 ? answer(500) : answer(200);
    };
    await room.run();
    const tried = room.sent.length;
    room.answer = answer(200);
    await room.run(true);
    expect(tried).toBeGreaterThan(1);
    expect(ids(room.taken)).toEqual(ids(room.events()));
  });

  it("waits as long as it asks to", async () => {
    const room = feedRoom();
    write(room, 1);
    room.answer = answer(429, { retryAfter: "600" });
    await room.run();
    expect((room.kept?.place.failing?.nextAt ?? 0) - room.now).toBe(600 * SECOND);
  });

  it("is tried at once where a person asks for it, or where a wrong clock dated the next try", async () => {
    const room = feedRoom();
    write(room, 1);
    room.answer = answer(500);
    await room.run();
    await room.run(true);
    expect(room.sent).toHaveLength(2);
    room.now -= 40 * 24 * 60 * MINUTE;
    await room.run();
    expect(room.sent).toHaveLength(3);
  });

  it("that says 410 is paused with that reason, and its place stays", async () => {
    const room = feedRoom();
    write(room, 1);
    room.answer = answer(410);
    await room.run();
    expect(room.state.disabled).toBe("it answered 410: it wants no more");
    await room.run(true);
    expect(room.sent).toHaveLength(1);
    room.happen({ type: "WebhookEnabled", v: 1, body: {} });
    room.answer = answer(200);
    await room.run(true);
    expect(ids(room.taken)).toEqual(ids(room.events()));
  });

  it("adds up to a fifth of the wait by chance", () => {
    expect([waitAfter(1, 0), waitAfter(2, 0.5), waitAfter(99, 1)]).toEqual([5 * SECOND, 66 * SECOND, 72 * MINUTE]);
  });

  it("whose secret is gone says so, as does one whose log cannot be read; neither is a dead letter", async () => {
    const room = feedRoom();
    write(room, 1);
    room.secret = undefined;
    await room.run();
    expect(room.kept?.place.failing?.reason).toContain("its secret is gone");
    const { failing } = room.kept?.place ?? {};
    room.broken = true;
    await room.run(true);
    // it goes on waiting for its receiver
    expect(room.kept?.place.failing).toEqual(failing);
    expect(room.reports).toMatchObject([{ level: "error", reason: "the table is away" }]);
  });

  it("that is no fault of the receiver is tried by the next message, and is over as soon as the log can be read", async () => {
    const room = feedRoom();
    room.broken = true;
    await room.run();
    await room.run();
    expect(room.kept?.place.failing).toMatchObject({ attempts: 2, nextAt: room.now, reason: "the engine itself failed; its log says why" });
    room.broken = false;
    await room.run();
    expect(room.kept?.place.failing).toBeNull();
    expect(room.sent).toEqual([]);
  });
});

describe("what a person does meanwhile", () => {
  it.each([
    ["paused", { type: "WebhookDisabled", v: 1, body: { reason: "paused by ada" } }],
    ["removed", { type: "WebhookRemoved", v: 1, body: {} }],
    ["reset", { type: "WebhookReset", v: 1, body: { from: BEGINNING } }],
  ] as const)("counts before the next request: it was %s", async (_, event) => {
    const room = feedRoom();
    write(room, 150);
    room.meanwhile = async () => {
      if (room.sent.length === 1) room.happen(event);
    };
    await room.run();
    expect(room.sent).toHaveLength(1);
  });

  it("tells everything again after a reset, under other ids", async () => {
    const room = feedRoom();
    write(room, 3);
    await room.run();
    room.happen({ type: "WebhookReset", v: 1, body: { from: room.events()[1]?.position ?? "" } });
    await room.run();
    const all = ids(room.events());
    expect(ids(room.taken)).toEqual([...all, ...all.slice(1)]);
    room.happen({ type: "WebhookReset", v: 1, body: { from: BEGINNING } });
    await room.run();
    expect(room.sent.map(({ events }) => events.length)).toEqual([3, 2, 3]);
    expect(new Set(room.sent.map((sent) => sent.id)).size).toBe(3);
  });
});

describe("filters", () => {
  const DEP = `deployment/${deploymentId(1)}`;
  const past = (room: Room): void => {
    room.write({ stream: DEP, type: "DeploymentQueued", body: { request: { site: "web", environment: "staging" } } });
    room.write({ stream: "environment/web/production" });
    room.write({ stream: "environment/docs/production" });
    room.write({ stream: "session/ses_1", type: "SessionEnded" });
    room.now += 30 * SECOND;
    room.write({ stream: DEP, type: "BuildStarted" });
  };
  it.each([
    [{}, [0, 1, 2, 3, 4]],
    [{ site: "web" }, [0, 1, 4]],
    [{ environment: "production" }, [1, 2]],
    [{ site: "web", environment: "staging" }, [0, 4]],
    [{ types: ["SessionEnded", "BuildStarted"] }, [3, 4]],
    [{ site: "docs", types: ["BuildStarted"] }, []],
  ])("%j", async (filters, wanted) => {
    const room = feedRoom(filters);
    past(room);
    await room.run();
    const all = ids(room.events());
    expect(ids(room.taken).sort()).toEqual(wanted.map((n) => all[n]).sort());
    // also what was passed over lies behind it
    const [reached] = room.kept?.place.at.split("~") ?? [];
    expect(reached).toBe(room.events().at(-1)?.position);
  });
});
