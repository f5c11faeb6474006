import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Delivery, newDelivery } from "../../domain/webhook/delivery.ts";
import { deliveryRows } from "../../engine/webhooks/delivery-rows.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { news } from "../support/news.ts";
import { at, webhookId } from "../support/samples.ts";

let table: Table;
let rows: ReturnType<typeof deliveryRows>;
beforeAll(async () => {
  table = await startTable();
  rows = deliveryRows(DynamoDBDocumentClient.from(table.client), TABLE);
});
afterAll(() => table.close());

const row = (id: string, change: Partial<Delivery> = {}): Delivery => ({ ...newDelivery(id, webhookId(1), news(), at()), ...change });
const kept = async (id: string) => {
  const { status, attempts } = (await rows.delivery(id))?.delivery ?? {};
  return { status, attempts };
};

describe("the row of a delivery", () => {
  it("follows its attempts", async () => {
    await rows.noteDelivery(row("one"), news());
    await rows.putDelivery(row("one", { attempts: 1, nextAt: at(5) }), news());
    await rows.putDelivery(row("one", { attempts: 2, status: "delivered" }), news());
    expect(await kept("one")).toEqual({ status: "delivered", attempts: 2 });
  });
  it("is not taken back by a sender that stood still while another came further", async () => {
    await rows.putDelivery(row("two", { attempts: 2, status: "delivered" }), news());
    await rows.putDelivery(row("two", { attempts: 1 }), news());
    expect(await kept("two")).toEqual({ status: "delivered", attempts: 2 });
  });
  it("stays delivered where two made the same attempt and one of them failed", async () => {
    await rows.putDelivery(row("three", { attempts: 1, status: "delivered" }), news());
    await rows.putDelivery(row("three", { attempts: 1, status: "dead" }), news());
    expect(await kept("three")).toEqual({ status: "delivered", attempts: 1 });
  });
  it("stays dropped where its sender comes late to say that the attempt before is to be repeated", async () => {
    await rows.putDelivery(row("late", { attempts: 1, status: "dropped" }), news());
    await rows.putDelivery(row("late", { attempts: 1 }), news());
    expect(await kept("late")).toEqual({ status: "dropped", attempts: 1 });
  });
  it("holds a line until its time, and not until one that only a wrong clock can have said", async () => {
    const now = Date.parse(at());
    const ahead = now + 400 * 86_400_000;
    expect(await rows.acquireSlot(webhookId(1), 0, ahead, ahead + 30_000)).toBe(true);
    expect(await rows.acquireSlot(webhookId(1), 0, now, now + 30_000)).toBe(true);
    expect(await rows.acquireSlot(webhookId(1), 0, now + 1, now + 30_001)).toBe(false);
  });
  it("becomes dead or dropped without another attempt", async () => {
    await rows.putDelivery(row("four", { attempts: 1 }), news());
    await rows.putDelivery(row("four", { attempts: 1, status: "dropped" }), news());
    expect(await kept("four")).toEqual({ status: "dropped", attempts: 1 });
    // asked for once more by hand, and given up again
    await rows.putDelivery(row("four", { attempts: 1, status: "dead", reason: "its secret is gone" }), news());
    expect((await rows.delivery("four"))?.delivery).toMatchObject({ status: "dead", attempts: 1, reason: "its secret is gone" });
  });
});
