import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VIEWS_TABLE } from "../../blueprint/topology.ts";
import { each } from "../../engine/kit/each.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { type ApiRoom, openApiRoom } from "../support/api-room.ts";
import { sessionId } from "../support/samples.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-27T08:00:00Z");

let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [] });
}, 60_000);
afterAll(() => room.close());

describe("the list of sessions that go on", () => {
  it("costs the same, however many are over", async () => {
    const views = viewsTable(room.clients.dynamodb, VIEWS_TABLE, room.engine.store.read);
    let asked = 0;
    room.clients.dynamodb.middlewareStack.add(
      (next) => (args) => {
        asked += 1;
        return next(args);
      },
      { step: "build" },
    );
    const put = async (n: number): Promise<void> => {
      const until = new Date(NOW + (n < 3 ? HOUR + n : -n * HOUR)).toISOString();
      const view = { kind: "browser", token: "local", actor: "ann", origin: "", beganAt: until, until, ended: null, version: 1 } as const;
      await views.rows(0).sessions.put({ id: sessionId(n), ...view });
    };
    const cost = async (): Promise<number> => {
      const before = asked;
      expect((await views.sessions(new Date(NOW).toISOString())).map(({ id }) => id)).toEqual([2, 1, 0].map(sessionId));
      return asked - before;
    };
    await each(
      Array.from({ length: 10 }, (_, n) => n),
      8,
      put,
    );
    const few = await cost();
    await each(
      Array.from({ length: 390 }, (_, n) => n + 10),
      8,
      put,
    );
    expect(await cost()).toBe(few);
  });
});
