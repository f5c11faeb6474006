import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withStoreTime } from "../../engine/aws/store-time.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";

const MINUTE = 60_000;
let table: Table;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

/** A machine whose clock is so far off. */
const machine = (off: number) => {
  let by = off;
  const client = withStoreTime(table.connect(), () => Date.now() + by);
  const store = eventStore(client, TABLE);
  return {
    client,
    set: (other: number) => {
      by = other;
    },
    write: async (stream: string) => {
      const { head } = await store.load(stream);
      const events = [{ type: "LampLit", v: 1, body: {} }];
      await store.append(head, { events, cause: stream, correlation: "c", actor: "ada", now: Date.now() + by });
    },
  };
};
const versions = async (stream: string) => (await eventStore(table.client, TABLE).load(stream)).version;

describe("the store's own time", () => {
  it.each([
    ["two days ahead", 2 * 1_440 * MINUTE, "ahead of"],
    ["six minutes behind", -6 * MINUTE, "behind"],
  ])("refuses what a clock would write that is %s, and says how far", async (_, off, word) => {
    const stream = `deployment/off${off}`;
    await expect(machine(off).write(stream)).rejects.toThrow(
      new RegExp(`${Math.abs(off) / MINUTE} minutes ${word} the store's .* nothing is written\\. Set the clock`),
    );
    expect(await versions(stream)).toBe(0);
  });
  it("takes what a clock writes that is four minutes off", async () => {
    await machine(4 * MINUTE).write("deployment/near");
    expect(await versions("deployment/near")).toBe(1);
  });
  it("is asked for before a first write that follows no reading", async () => {
    const { client } = machine(10 * MINUTE);
    const Item = { pk: { S: "deployment/first" }, sk: { S: "0000000001" } };
    await expect(client.send(new PutItemCommand({ TableName: TABLE, Item }))).rejects.toMatchObject({ name: "ClockWrong" });
    expect(await versions("deployment/first").catch(() => 1)).toBe(0);
  });
  it("is looked at again: a clock that is put right may write, and one that jumps may not", async () => {
    const one = machine(10 * MINUTE);
    await expect(one.write("deployment/again")).rejects.toThrow("Set the clock");
    one.set(0);
    await one.write("deployment/again");
    expect(await versions("deployment/again")).toBe(1);
    one.set(-2_880 * MINUTE);
    await expect(one.write("deployment/jumped")).rejects.toThrow("Set the clock");
    expect(await versions("deployment/jumped")).toBe(0);
  });
});
