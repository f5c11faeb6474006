import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveKey } from "../../blueprint/edge-table.ts";
import { reconcileEnvironment } from "../../services/reconcile/environments.ts";
import { flipRoom } from "../support/flip-room.ts";
import { startVerbRoom, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const LIVE = liveKey("E1");
type Room = ReturnType<typeof flipRoom>;

/** Deployment `n` is live. `meanwhile` happens after the reconciler read the log, `before` or `after` it read the row of what is live. */
const look = async (name: string, n: number, meanwhile: (here: Room) => Promise<void>, when: "before" | "after") => {
  const here = flipRoom(room, name);
  await here.asks(n);
  await here.delivers();
  const past = (await here.types()).length;
  if (when === "after") here.edge.hand(LIVE, undefined);
  await reconcileEnvironment({
    aggregates: room.aggregates,
    events: room.events,
    back: room.back,
    settled: async () => undefined,
    noteSettled: async () => undefined,
    sentAgain: async () => undefined,
    noteSentAgain: async () => undefined,
    publish: async () => undefined,
    alias: async (fn) => ({ ...(here.aliases.get(fn) ?? expect.fail(`no alias of ${fn}`)), revisionId: "r" }),
    isDeclared: () => true,
    isProjected: async () => true,
    isProjectedTo: async () => true,
    store: () => ({ table: "table", distribution: "E1" }),
    addresses: here.held,
    row: async (_, key) => {
      if (when === "before") await meanwhile(here);
      const found = here.edge.rows.get(key);
      if (when === "after") await meanwhile(here);
      return found;
    },
    now: room.clock.now,
  })(name, "production");
  return (await here.types()).slice(past).filter((type) => type.startsWith("Edge") || type === "FlipRequested");
};

/** Flip `n` dies right after it wrote its row. */
const dies =
  (n: number) =>
  async (here: Room): Promise<void> => {
    await here.asks(n);
    here.edge.onLook(() => {
      if (JSON.parse(here.edge.rows.get(LIVE) ?? "null")?.sequence === n) throw new Error("it died");
    });
    await expect(here.delivers({ givesUp: () => false })).rejects.toThrow("it died");
    here.edge.onLook(() => undefined);
  };

describe("the reconciler's look at the edge's row, where a flip begins meanwhile", () => {
  it("takes the row of a flip that has not said so yet for no drift", async () => {
    expect(await look("look-open", 1, dies(2), "before")).toEqual(["FlipRequested"]);
  });
  it("takes the row of a flip that was given up meanwhile for no drift", async () => {
    const givenUp = async (here: Room): Promise<void> => {
      await dies(12)(here);
      await room.environment("look-given-up", { type: "RecordFlipFailed", sequence: 12, reason: "it took too long", moved: false });
    };
    expect(await look("look-given-up", 11, givenUp, "before")).toEqual(["FlipRequested"]);
  });
  it("says nothing of what is past, and restores nothing, where that flip went live", async () => {
    const goesLive =
      (n: number) =>
      async (here: Room): Promise<void> => {
        await here.asks(n);
        await here.delivers();
      };
    expect(await look("look-before", 21, goesLive(22), "before")).toEqual(["FlipRequested", "EdgeSwitched"]);
    expect(await look("look-after", 31, goesLive(32), "after")).toEqual(["FlipRequested", "EdgeSwitched"]);
  });
  it("sees what a hand wrote before that flip", async () => {
    const hand = async (here: Room): Promise<void> => {
      here.edge.hand(LIVE, "by hand");
      await here.asks(42);
    };
    expect(await look("look-hand", 41, hand, "before")).toEqual(["FlipRequested", "EdgeDriftDetected"]);
  });
});
