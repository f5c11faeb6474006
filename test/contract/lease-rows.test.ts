import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { leaseRows } from "../../engine/views/lease-rows.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";

let table: Table;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

it("a lease is renewed and given back by its holder alone, and ends by itself", async () => {
  const { takeLease, giveLease } = leaseRows(DynamoDBDocumentClient.from(table.client), TABLE);
  expect(await takeLease("files/x", "a", 1_000, 2_000)).toBe(true);
  expect(await takeLease("files/x", "b", 1_500, 2_500)).toBe(false);
  expect(await takeLease("files/x", "a", 1_900, 2_900)).toBe(true);
  await giveLease("files/x", "b");
  expect(await takeLease("files/x", "b", 2_500, 3_500)).toBe(false);
  expect(await takeLease("files/x", "b", 2_901, 3_901)).toBe(true);
  await giveLease("files/x", "b");
  expect(await takeLease("files/x", "a", 2_902, 3_902)).toBe(true);
});

it("a lease that a clock far ahead has dated blocks nobody, one of a clock that is a little ahead does", async () => {
  const { takeLease } = leaseRows(DynamoDBDocumentClient.from(table.client), TABLE);
  const year = 365 * 24 * 3_600_000;
  expect(await takeLease("files/ahead", "a", year, year + 1_000)).toBe(true);
  expect(await takeLease("files/ahead", "b", 1_000, 2_000)).toBe(true);
  expect(await takeLease("files/near", "a", 60_000, 61_000)).toBe(true);
  expect(await takeLease("files/near", "b", 1_000, 2_000)).toBe(false);
});
