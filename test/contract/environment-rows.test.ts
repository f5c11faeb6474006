import { hash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { type AttributeValue, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import { digestOf, type Item, viewItems, viewText } from "../../engine/views/view-items.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { environmentHistory } from "../bench/histories.ts";
import { counting } from "../bench/long-past.ts";
import { startTable, TABLE, type Table } from "../support/dynamodb.ts";
import { at } from "../support/samples.ts";

let table: Table;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

const STREAM = environmentStream("web", "production");
const readNothing = async () => [];

/** Ids and digests as they are in life: a text of samples, all alike, packs to nothing. */
const asInLife = (text: string): string =>
  text
    .replaceAll(/dep_(\d{26})/g, (_, n: string) => `dep_01M8${hash("sha256", n, "hex").toUpperCase().slice(0, 22)}`)
    .replaceAll(/"codeSha256":"([^"]*)"/g, (_, code: string) => `"codeSha256":"${hash("sha256", code, "base64")}"`);

const rowAfter = (deployments: number): EnvironmentView => {
  const events = JSON.parse(asInLife(JSON.stringify(environmentHistory(deployments * 7)))) as EnvironmentEvent[];
  return events.reduce(
    (view, event, n) => projectEnvironment(view, { ...event, version: n + 1, at: at(n), actor: "ada" } as never),
    emptyEnvironment("web", "production"),
  );
};

describe("the row of an environment", () => {
  it("is read for as little after a thousand deployments as after ten", async () => {
    const client = table.connect();
    const counted = counting(client);
    const rows = viewsTable(client, TABLE, readNothing).rows(0).environments;
    const costs: number[] = [];
    for (const deployments of [10, 1_000]) {
      const row = rowAfter(deployments);
      await rows.put(row);
      const { units } = await counted(1, async () => expect(await rows.current(STREAM)).toEqual(row));
      costs.push(units);
    }
    expect(costs).toEqual([1, 1]);
  });

  it("costs half where a moment's delay is no harm", async () => {
    const client = table.connect();
    const counted = counting(client);
    const views = viewsTable(client, TABLE, readNothing);
    await views.rows(0).environments.put(rowAfter(2));
    const costOf = async (...options: [{ consistent: boolean }?]): Promise<number> =>
      (await counted(1, () => views.environment("web", "production", ...options))).units;
    // each asks which generation counts, too
    expect([await costOf(), await costOf({ consistent: false })]).toEqual([2, 1.5]);
  });

  it("is read too where it lies there unpacked", async () => {
    const items = viewItems(table.client, TABLE);
    const row = { ...rowAfter(3), site: "plain" };
    const item = items.itemOf("environments", 0, row);
    await table.client.send(new PutItemCommand({ TableName: TABLE, Item: { ...item, view: { S: JSON.stringify(row) } } }));
    expect(await viewsTable(table.client, TABLE, readNothing).rows(0).environments.get("environment/plain/production")).toEqual(row);
  });

  it("is the same row to whoever compares it, whatever zlib packed it, and another where it says something else or was cut", async () => {
    const items = viewItems(table.client, TABLE);
    const item = items.itemOf("environments", 0, rowAfter(20));
    const { pk, sk } = item as Record<"pk" | "sk", AttributeValue>;
    await items.write([item], async () => undefined);
    const found = (await table.client.send(new GetItemCommand({ TableName: TABLE, Key: { pk, sk } }))).Item as Item;
    expect(digestOf(found)).toBe(digestOf(item));
    const text = item.view?.S ?? "";
    const [mark = "", gzip = ""] = text.split(":");
    const json = gunzipSync(Buffer.from(gzip, "base64"));
    const withView = (view: string): Item => ({ ...item, view: { S: view } });
    const otherwise = withView(`${mark}:${gzipSync(json, { level: 1 }).toString("base64")}`);
    expect(otherwise.view).not.toEqual(item.view);
    expect(digestOf(otherwise)).toBe(digestOf(item));
    const changed = withView(`${mark}:${gzipSync(`${json}`.replace("ada", "bob")).toString("base64")}`);
    const cut = withView(text.slice(0, 99));
    expect(new Set([item, changed, cut].map(digestOf)).size).toBe(3);
    expect([viewText(cut), viewText({})]).toEqual([text.slice(0, 99), ""]);
  });
});
