import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VIEWS_TABLE } from "../../blueprint/topology.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { each } from "../../engine/kit/each.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { type ApiRoom, openApiRoom } from "../support/api-room.ts";
import { at, webhookId } from "../support/samples.ts";

let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [] });
}, 60_000);
afterAll(() => room.close());

describe("the list of endpoints, which a timer reads every minute", () => {
  it("reads nothing of those that were removed, however many", async () => {
    const views = viewsTable(room.clients.dynamodb, VIEWS_TABLE, room.engine.store.read);
    let read = 0;
    room.clients.dynamodb.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        read += (answer.output as { Items?: readonly unknown[] }).Items?.length ?? 0;
        return answer;
      },
      { step: "initialize" },
    );
    const view = (n: number, removedAt: string | null): WebhookView => ({
      id: webhookId(n),
      kind: "standard",
      url: "https://hooks.example.com/…",
      filters: { site: null, environment: null, types: [] },
      from: null,
      actor: "ann",
      addedAt: at(n),
      rotatedAt: null,
      disabled: null,
      removedAt,
      version: removedAt === null ? 1 : 2,
    });
    const { webhooks } = views.rows(0);
    const cost = async (): Promise<number> => {
      read = 0;
      expect((await views.webhooks()).map(({ id }) => id)).toEqual([0, 1, 2].map(webhookId));
      return read;
    };
    for (const n of [0, 1, 2]) await webhooks.put(view(n, null));
    const few = await cost();
    await each(
      Array.from({ length: 40 }, (_, n) => n + 3),
      8,
      async (n) => {
        await webhooks.put(view(n, null));
        await webhooks.put(view(n, at(n + 1)));
      },
    );
    expect(await cost()).toBe(few);
  });
});
