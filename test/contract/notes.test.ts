import { DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { begunNotes } from "../../engine/views/begun-notes.ts";
import { flipNotes, NO_TRIES } from "../../engine/views/flip-notes.ts";
import { placeNotes } from "../../engine/views/place-notes.ts";
import { sentAgainNotes } from "../../engine/views/sent-again-notes.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";

let table: Table;
let client: DynamoDBDocumentClient;
/** Everything that was asked of the table. */
const commands = new Set<string>();
beforeAll(async () => {
  table = await startTable();
  client = DynamoDBDocumentClient.from(table.client);
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      (args) => {
        commands.add(commandName);
        return next(args);
      },
    { step: "initialize", name: "noteCommands" },
  );
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

it("how the deliveries of a flip ended is noted by whoever read what it was before, and forgotten for good", async () => {
  const { flipTries, noteTries, forgetTries } = flipNotes(client, TABLE);
  const [here, other] = ["environment/web/production", "environment/web/preview"];
  const [first, second] = [
    { failed: true, throttled: { m1: 2, m2: 1 } },
    { failed: true, throttled: { m1: 3, m2: 1 } },
  ];
  expect(await flipTries(here, 5)).toBe(NO_TRIES);
  await noteTries(here, 5, NO_TRIES, first);
  expect([await flipTries(here, 5), await flipTries(here, 7), await flipTries(other, 5)]).toEqual([first, NO_TRIES, NO_TRIES]);
  await noteTries(here, 5, NO_TRIES, { ...first, failed: false });
  expect(await flipTries(here, 5)).toEqual(first);
  await noteTries(here, 5, first, second);
  expect(await flipTries(here, 5)).toEqual(second);
  await forgetTries(here, 5);
  expect(await flipTries(here, 5)).toBe(NO_TRIES);
});

it("what was sent again is known by its event, with when that was last", async () => {
  const { sentAgain, noteSentAgain } = sentAgainNotes(client, TABLE);
  expect(await sentAgain("e1")).toBeUndefined();
  await noteSentAgain("e1", 1_000_000);
  await noteSentAgain("e2", 2_000_000);
  await noteSentAgain("e1", 3_000_000);
  expect([await sentAgain("e1"), await sentAgain("e2")]).toEqual([3_000_000, 2_000_000]);
  // its row goes by itself, two days later
  const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE }));
  expect(Items.filter(({ pk }) => String(pk).includes("sent-again/e1")).map(({ expiresAt }) => expiresAt)).toEqual([
    3_000 + 2 * 24 * 3_600,
  ]);
});

it("the place of a subscription is moved by whoever read where it was, and by nobody else", async () => {
  const { place, setPlace, forgetPlace } = placeNotes(client, TABLE);
  const at = (position: string) => ({ resets: 0, at: position.padStart(15, "0"), failing: null });
  const failing = { ...at("2"), failing: { since: 1, attempts: 2, nextAt: 3, reason: "it answered 500", events: 4 } };
  expect(await place("one")).toBeUndefined();
  expect(await setPlace("one", at("1"), 0)).toBe(true);
  // who has not seen it writes nothing, nor who saw an earlier one
  expect(await setPlace("one", at("9"), 0)).toBe(false);
  expect(await setPlace("one", failing, 1)).toBe(true);
  expect(await setPlace("one", at("9"), 1)).toBe(false);
  expect([await place("one"), await place("other")]).toEqual([{ place: failing, turn: 2 }, undefined]);
  await forgetPlace("one");
  await forgetPlace("one");
  expect(await place("one")).toBeUndefined();
  // whoever had read it before it was forgotten does not bring it back
  expect(await setPlace("one", at("9"), 2)).toBe(false);
});

it("notes are read, put and deleted, which is what their writers may do on AWS", () => {
  expect([...commands].filter((command) => !/^(Get|Put|Query|Delete|Scan)/.test(command))).toEqual([]);
  expect(commands.size).toBeGreaterThan(3);
});
