import { DynamoDBDocumentClient, PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { emptyEnvironment, environmentShape } from "../../domain/projections/environment-view.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { waypointNotes } from "../../engine/views/waypoint-notes.ts";
import { waypointRows } from "../../engine/views/waypoint-rows.ts";
import { dropWaypoints, verifyWaypoints } from "../../operator/replay/waypoints.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { longHistory } from "../support/long-history.ts";

const history = [...longHistory({ seed: 7, events: 1_500, sites: ["web", "shop"], environments: ["production"] })];
const STREAM = environmentStream("web", "production");
const OTHER = environmentStream("shop", "production");
const commitsOf = (stream: string): readonly Commit[] => history.filter((commit) => commit.stream === stream);
const commitAt = (version: number): Commit => commitsOf(STREAM)[version - 1] ?? expect.unreachable();

let table: Table;
let client: DynamoDBDocumentClient;
beforeAll(async () => {
  table = await startTable();
  client = DynamoDBDocumentClient.from(table.client);
});
afterAll(() => table.close());

const viewAt = (stream: string, version: number) => {
  const [, site = "", environment = ""] = stream.split("/");
  const empty = emptyEnvironment(site, environment);
  return foldRow("environments", empty, commitsOf(stream).slice(0, version).flatMap(eventsOf)) ?? empty;
};
const note = (commit: Commit, view = viewAt(commit.stream, commit.version)) =>
  waypointNotes(client, TABLE).noteWaypoint(commit, structuredClone(view));
const ports = () => ({ waypoints: waypointRows(table.client, TABLE), read: async (stream: string) => commitsOf(stream) });
const verified = () => verifyWaypoints(ports());
const found = async (): Promise<readonly string[]> => (await verified()).differences.map(({ stream, what }) => `${stream}: ${what}`);
const rows = async () => (await client.send(new ScanCommand({ TableName: TABLE }))).Items ?? [];

beforeEach(async () => {
  await dropWaypoints(ports());
  for (const version of [50, 100, 150]) await note(commitAt(version));
  await note(commitsOf(OTHER)[59] ?? expect.unreachable());
});

it("waypoints are what the log says where nobody changed them", async () => {
  expect(await verified()).toEqual({ waypoints: 4, foreign: 0, differences: [] });
});

it("one whose row was changed is named, though its digest fits; those behind it are compared all the same", async () => {
  await note(commitAt(100), { ...viewAt(STREAM, 100), sequence: 7 });
  expect(await found()).toEqual([`${STREAM}: its row as of version 100 is not what the log says`]);
  await note(commitAt(150), viewAt(STREAM, 149));
  expect(await found()).toHaveLength(2);
});

it("one of another commit than the log has there is named, and one of a longer log", async () => {
  await note({ ...commitAt(100), hash: "of another" });
  expect(await found()).toEqual([`${STREAM}: its row as of version 100 is not of the commit that version 100 is in the log`]);
  const length = commitsOf(STREAM).length;
  await note({ ...commitAt(100), version: length + 1 }, viewAt(STREAM, 100));
  expect(await found()).toEqual([`${STREAM}: it has a row as of version ${length + 1}, and the log has ${length} versions`]);
});

it("one that lies at another moment than its commit is named: answers about that moment would be wrong", async () => {
  const { position } = commitAt(60);
  await note({ ...commitAt(50), position });
  expect(await found()).toEqual([`${STREAM}: its row as of version 50 lies at position ${position}, and the commit does not`]);
});

it("one that is not as it was written is named by its moment", async () => {
  const { position } = commitAt(100);
  const row = (await rows()).find(({ sk }) => String(sk).includes(position)) ?? expect.unreachable();
  await client.send(new PutCommand({ TableName: TABLE, Item: { ...row, value: "cut" } }));
  expect(await found()).toEqual([`${STREAM}: its row as of position ${position} is not as it was written`]);
});

it("those of another shape are another release's: not compared, and dropped with the others", async () => {
  const row = (await rows()).find(({ sk }) => String(sk).includes(commitAt(100).position)) ?? expect.unreachable();
  const about = (text: string): string => text.replace(`/${environmentShape}/`, `/${environmentShape - 1}/`);
  await client.send(
    new PutCommand({ TableName: TABLE, Item: { ...row, pk: about(row.pk), about: about(row.about), value: "of an older release" } }),
  );
  expect(await verified()).toEqual({ waypoints: 5, foreign: 1, differences: [] });
  expect(await dropWaypoints(ports())).toEqual({ streams: [OTHER, STREAM], rows: 5 });
});

it("dropped, nothing is left of them, and nothing else is gone", async () => {
  await client.send(new PutCommand({ TableName: TABLE, Item: { pk: "another", sk: "row" } }));
  expect(await dropWaypoints(ports())).toEqual({ streams: [OTHER, STREAM], rows: 4 });
  expect(await rows()).toEqual([{ pk: "another", sk: "row" }]);
  expect(await dropWaypoints(ports())).toEqual({ streams: [], rows: 0 });
});
