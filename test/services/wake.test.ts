import { describe, expect, it } from "vitest";
import { MAX_WAIT_MS, type Waiting } from "../../engine/views/waiting-rows.ts";
import { wake } from "../../services/wake/wake.ts";

const NOW = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;

/** Rows that wait, and what one run of the timer did with them. */
const room = (...rows: Waiting[]) => {
  const waiting = new Map(rows.map((row) => [row.key, row]));
  const sent: string[] = [];
  const broken = new Set<string>();
  const run = wake({
    rows: {
      dueBy: async function* (then, never) {
        yield [...waiting.values()].filter(({ due }) => due <= then || due > never);
      },
      forgetWaiting: async ({ key }) => void waiting.delete(key),
    },
    send: async (consumer, body) => {
      if (broken.has(body)) throw new Error("the queue is away");
      sent.push(`${consumer} ${body}`);
    },
    now: () => NOW,
  });
  return { run, sent, broken, left: () => [...waiting.keys()] };
};
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
