import { DynamoDBDocumentClient, PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { emptyEnvironment } from "../../domain/projections/environment-view.ts";
import { waypointNotes } from "../../engine/views/waypoint-notes.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";

let table: Table;
let client: DynamoDBDocumentClient;
beforeAll(async () => {
  table = await startTable();
  client = DynamoDBDocumentClient.from(table.client);
});
afterAll(() => table.close());

const STREAM = "environment/web/production";
const at = (n: number): string => String(n).padStart(15, "0");
const viewAt = (version: number) => ({ ...emptyEnvironment("web", "production"), sequence: version, version });
const note = (version: number, stream = STREAM) =>
  waypointNotes(client, TABLE).noteWaypoint({ stream, version, hash: `hash ${version}`, position: at(version) } as Commit, viewAt(version));
const waypoint = (version: number) => ({ version, hash: `hash ${version}`, view: viewAt(version) });

it("waypoints are found from a position on, back and ahead, each stream its own", async () => {
  const { waypointBefore, waypointAfter } = waypointNotes(client, TABLE);
  expect([await waypointBefore(STREAM, at(9)), await waypointAfter(STREAM, at(0))]).toEqual([undefined, undefined]);
  for (const version of [500, 1_500, 1_000]) await note(version);
  await note(700, "environment/web/preview");
  const before = (position: string) => waypointBefore(STREAM, position);
  expect(await Promise.all([at(500), at(501), at(1_000), at(9_000), `${at(1_000)}~`].map(before))).toEqual(
    [undefined, 500, 500, 1_500, 1_000].map((version) => version && waypoint(version)),
  );
  const after = (position: string) => waypointAfter(STREAM, position);
  expect(await Promise.all([at(0), at(500), at(1_499), at(1_500)].map(after))).toEqual(
    [500, 1_000, 1_500, undefined].map((version) => version && waypoint(version)),
  );
});

it("a waypoint that is not as it was written is as good as none", async () => {
  const { waypointBefore } = waypointNotes(client, TABLE);
  await note(50, "environment/web/damaged");
  const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE }));
  const row = Items.find(({ pk }) => String(pk).includes("damaged")) ?? expect.unreachable();
  const { digest, gzip } = JSON.parse(row.value) as { digest: string; gzip: string };
  const other = Items.find(({ pk }) => String(pk).includes("preview")) ?? expect.unreachable();
  for (const value of ["", "{}", JSON.stringify({ digest, gzip: gzip.slice(8) }), JSON.stringify({ ...JSON.parse(other.value), digest })]) {
    await client.send(new PutCommand({ TableName: TABLE, Item: { ...row, value } }));
    expect(await waypointBefore("environment/web/damaged", at(99))).toBeUndefined();
  }
  await note(50, "environment/web/damaged");
  expect(await waypointBefore("environment/web/damaged", at(99))).toEqual(waypoint(50));
});
