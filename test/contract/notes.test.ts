import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { begunNotes } from "../../engine/views/begun-notes.ts";
import { unsettledNotes } from "../../engine/views/unsettled-notes.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";

let table: Table;
let client: DynamoDBDocumentClient;
beforeAll(async () => {
  table = await startTable();
  client = DynamoDBDocumentClient.from(table.client);
});
afterAll(() => table.close());

it("streams that begin are listed until they are forgotten", async () => {
  const { noteBegun, begun, forgetBegun } = begunNotes(client, TABLE);
  expect(await begun()).toEqual([]);
  await noteBegun("webhook/one", 1_000);
  await noteBegun("webhook/two", 2_000);
  await noteBegun("webhook/one", 3_000);
  expect(await begun()).toEqual([
    { stream: "webhook/one", at: 3_000 },
    { stream: "webhook/two", at: 2_000 },
  ]);
  await forgetBegun("webhook/one");
  await forgetBegun("webhook/one");
  expect(await begun()).toEqual([{ stream: "webhook/two", at: 2_000 }]);
});

it("a flip that is not settled is noted once, counted, and forgotten for good", async () => {
  const { noteUnsettled, isUnsettled, unsettledFlips, countLook, forgetUnsettled, throttledFlip, noteThrottled } = unsettledNotes(
    client,
    TABLE,
  );
  const [here, other] = ["environment/web/production", "environment/web/preview"];
  expect(await isUnsettled(here, 5)).toBe(false);
  expect(await noteUnsettled(here, 5)).toBe(true);
  expect(await noteUnsettled(here, 12)).toBe(true);
  expect(await noteUnsettled(other, 5)).toBe(true);
  await countLook(here, 5, 1);
  expect(await noteUnsettled(here, 5)).toBe(false);
  expect(await isUnsettled(here, 5)).toBe(true);
  expect((await unsettledFlips(here)).sort((a, b) => a.sequence - b.sequence)).toEqual([
    { sequence: 5, looks: 1 },
    { sequence: 12, looks: 0 },
  ]);
  await noteThrottled(here, 5, 2);
  await noteThrottled(here, 7, 1);
  expect([await throttledFlip(here, 5), await throttledFlip(here, 7), await throttledFlip(here, 12)]).toEqual([2, 0, 0]);
  await forgetUnsettled(here, 5);
  // who looked before it was forgotten does not bring it back
  await countLook(here, 5, 2);
  expect(await isUnsettled(here, 5)).toBe(false);
  expect(await unsettledFlips(here)).toEqual([{ sequence: 12, looks: 0 }]);
  expect(await unsettledFlips(other)).toEqual([{ sequence: 5, looks: 0 }]);
});
