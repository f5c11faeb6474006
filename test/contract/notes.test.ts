import { DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { begunNotes } from "../../engine/views/begun-notes.ts";
import { noteRow } from "../../engine/views/notes.ts";
import { sentAgainNotes } from "../../engine/views/sent-again-notes.ts";
import { NO_TRIES, unsettledNotes } from "../../engine/views/unsettled-notes.ts";
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

it("a flip that is not settled is noted once, counted, and forgotten for good", async () => {
  const { noteUnsettled, isUnsettled, unsettledFlips, countLook, forgetUnsettled, flipTries, noteTries } = unsettledNotes(client, TABLE);
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
  const tries = { failed: true, throttled: { m1: 2, m2: 1 } };
  await noteTries(here, 5, tries);
  await noteTries(here, 7, tries);
  expect([await flipTries(here, 5), await flipTries(here, 7), await flipTries(here, 12)]).toEqual([tries, NO_TRIES, NO_TRIES]);
  await countLook(here, 5, 2);
  expect(await flipTries(here, 5)).toEqual(tries);
  expect(await unsettledFlips(here)).toContainEqual({ sequence: 5, looks: 2 });
  // as an earlier release noted it
  await noteRow(client, TABLE)
    .put({ about: `unsettled/${here}`, kind: "12", value: "3", number: 0 })
    .go();
  expect(await flipTries(here, 12)).toEqual({ failed: false, throttled: { "": 3 } });
  await forgetUnsettled(here, 5);
  // who looked before it was forgotten does not bring it back
  await countLook(here, 5, 2);
  expect(await isUnsettled(here, 5)).toBe(false);
  expect(await unsettledFlips(here)).toEqual([{ sequence: 12, looks: 0 }]);
  expect(await unsettledFlips(other)).toEqual([{ sequence: 5, looks: 0 }]);
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

it("notes are read, put and deleted, which is what their writers may do on AWS", () => {
  expect([...commands].filter((command) => !/^(Get|Put|Query|Delete|Scan)/.test(command))).toEqual([]);
  expect(commands.size).toBeGreaterThan(3);
});
