import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesKey, publicSetOf } from "../../blueprint/edge-table.ts";
import { hasRows, writeRows } from "../../engine/edge/public-rows.ts";
import { flipRoom } from "../support/flip-room.ts";
import { deploymentId } from "../support/samples.ts";
import { startVerbRoom, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const EDGE = { edgeTable: "table", distribution: "E1" };
/** More rows than two requests take. */
const set =
  publicSetOf(
    "0123456789abcdef",
    Array.from({ length: 9_000 }, (_, n) => `pictures/${n}.png`),
  ) ?? expect.fail("it does not fit");
const keys = set.rows.map((_, row) => filesKey("E1", set.files.set, row));

/** A site with that many public files. */
const site = (name: string) => {
  const here = flipRoom(room, name, set);
  const ports = { edgeTable: here.edge.table, clock: room.clock };
  return {
    ...here,
    ports,
    missing: () => keys.filter((key) => !here.edge.rows.has(key)),
    /** Whoever writes the rows dies before the request of that number. */
    diesBefore: async (request: number): Promise<void> => {
      let requests = 0;
      const update: typeof here.edge.table.update = async (...args) => {
        if (++requests === request) throw new Error("it died");
        return here.edge.table.update(...args);
      };
      await expect(writeRows({ ...ports, edgeTable: { ...here.edge.table, update } }, EDGE, set)).rejects.toThrow("it died");
    },
  };
};

describe("the rows of many public files", () => {
  it("are more than two requests take", () => {
    expect(keys.length).toBeGreaterThan(100);
  });

  it("are taken for written only where all of them were, wherever their writer died", async () => {
    const here = site("rows-died");
    const requests = Math.ceil(keys.length / 50);
    for (let request = 1; request <= requests; request++) {
      await here.diesBefore(request);
      expect(here.missing().length).toBeGreaterThan(0);
      expect(await hasRows(here.ports, EDGE, set.files)).toBe(false);
    }
    await writeRows(here.ports, EDGE, set);
    expect(await hasRows(here.ports, EDGE, set.files)).toBe(true);
    expect(here.missing()).toEqual([]);
  });

  it("are all there after a flip, although who published them died between two requests", async () => {
    const here = site("rows-flip");
    await here.diesBefore(2);
    await here.asks(1, set.files);
    await here.delivers();
    expect(here.missing()).toEqual([]);
  });

  it("are left alone by a flip to what was just published, and all written again by a flip back", async () => {
    const here = site("rows-back");
    await here.asks(11);
    await here.delivers();
    const written = here.edge.writes.length;
    await here.asks(12, set.files);
    await here.delivers();
    expect(here.edge.writes.slice(written)).toHaveLength(1);
    here.edge.hand(keys[7] ?? "", undefined);
    await room.environment("rows-back", { type: "RequestRollback", to: deploymentId(11), actor: "ada", at: "2026-11-24T00:00:00.000Z" });
    await here.delivers();
    expect(here.missing()).toEqual([]);
  });
});
