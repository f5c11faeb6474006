import { describe, expect, it } from "vitest";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { MAX_WAIT_MS, type Waiting } from "../../engine/views/waiting-rows.ts";
import { wake } from "../../services/wake/wake.ts";
import { webhookId } from "../support/samples.ts";

const NOW = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;

/** Rows that wait, and what one run of the timer did with them. */
const room = (...rows: Waiting[]) => {
  const endpoints: WebhookView[] = [];
  const waiting = new Map(rows.map((row) => [row.key, row]));
  const sent: string[] = [];
  const broken = new Set<string>();
  const run = wake({
    rows: {
      dueBy: async function* (then, never) {
        yield [...waiting.values()].filter(({ due }) => due <= then || due > never);
      },
      webhooks: async () => endpoints,
      forgetWaiting: async ({ key }) => void waiting.delete(key),
    },
    send: async (consumer, body) => {
      if (broken.has(body)) throw new Error("the queue is away");
      sent.push(`${consumer} ${body}`);
    },
    now: () => NOW,
  });
  return { run, sent, broken, endpoints, left: () => [...waiting.keys()] };
};
const turnOf = (n: number): string => JSON.stringify({ webhook: webhookId(n), manual: false });
const endpoint = (n: number, change: Partial<WebhookView>): WebhookView => ({
  id: webhookId(n),
  kind: "subscription",
  url: "https://example.com/…",
  filters: { site: null, environment: null, types: [] },
  from: "0".repeat(15),
  actor: "ada",
  addedAt: "",
  rotatedAt: null,
  disabled: null,
  removedAt: null,
  version: 1,
  ...change,
});
const row = (key: string, due: number, consumer = "deliver"): Waiting => ({ consumer, key, body: `body of ${key}`, due, token: "t" });

describe("wake", () => {
  it("puts what is due into the queue of its consumer, and forgets it; the rest waits on", async () => {
    const here = room(row("a", NOW - MINUTE), row("b", NOW, "start-build"), row("c", NOW + 1));
    await here.run();
    expect(here.sent).toEqual(["deliver body of a", "start-build body of b"]);
    expect(here.left()).toEqual(["c"]);
  });

  it("takes what only a clock that was ahead can have dated so for due", async () => {
    const here = room(row("a", NOW + MAX_WAIT_MS + 1), row("b", NOW + MAX_WAIT_MS));
    await here.run();
    expect([here.sent, here.left()]).toEqual([["deliver body of a"], ["b"]]);
  });

  it("gives each subscription its turn, and none to one that is paused or to another endpoint", async () => {
    const here = room(row("a", NOW));
    here.endpoints.push(endpoint(1, {}), endpoint(2, { disabled: { at: "", reason: "paused by ada" } }), endpoint(3, { kind: "standard" }));
    here.endpoints.push(endpoint(4, {}));
    await here.run();
    expect(here.sent).toEqual(["deliver body of a", `feed ${turnOf(1)}`, `feed ${turnOf(4)}`]);
    here.broken.add(turnOf(1));
    await expect(here.run()).rejects.toThrow(`feed ${webhookId(1)}: the queue is away`);
    expect(here.sent.at(-1)).toBe(`feed ${turnOf(4)}`);
  });

  it("keeps what could not be sent for the next run, sends the others, and says so", async () => {
    const here = room(row("a", NOW), row("b", NOW), row("c", NOW));
    here.broken.add("body of b");
    await expect(here.run()).rejects.toThrow(
      "1 messages that wait could not be sent, and wait for the next run; the first is deliver b: the queue is away",
    );
    expect([here.sent, here.left()]).toEqual([["deliver body of a", "deliver body of c"], ["b"]]);
    here.broken.clear();
    await here.run();
    expect(here.left()).toEqual([]);
  });
});
