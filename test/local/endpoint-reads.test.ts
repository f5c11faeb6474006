import { createRequire } from "node:module";
import { PutItemCommand, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, it, vi } from "vitest";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { clientsOf, createTable, newDataDir, removeDataDirs } from "./endpoint-support.ts";

type Reader = { close(): Promise<void> };

/** The database below the local DynamoDB: what it reads with must be closed, or it keeps every file that was ever written. */
const { Level } = createRequire(createRequire(import.meta.url).resolve("dynalite"))("level") as {
  Level: { prototype: { values(options: object): Reader } };
};

it("every query and scan ends its reading, also where it stops early", async () => {
  const open = new Set<Reader>();
  let opened = 0;
  const { values } = Level.prototype;
  const spy = vi.spyOn(Level.prototype, "values").mockImplementation(function (this: unknown, options) {
    const reader = values.call(this as never, options);
    const close = reader.close.bind(reader);
    reader.close = () => close().then(() => void open.delete(reader));
    open.add(reader);
    opened += 1;
    return reader;
  });
  const endpoint = await startEndpoint({ dataDir: newDataDir() });
  const { dynamodb, destroy } = clientsOf(endpoint);
  try {
    await createTable({ dynamodb }, "Read");
    const TableName = "Read";
    for (let n = 0; n < 300; n++)
      await dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: "a" }, sk: { S: String(n).padStart(3, "0") } } }));
    const query = { TableName, KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": { S: "a" } } };
    expect((await dynamodb.send(new QueryCommand(query))).Count).toBe(300);
    const some = await dynamodb.send(new QueryCommand({ ...query, Limit: 150, ScanIndexForward: false }));
    expect([some.Items?.[0]?.sk?.S, some.Items?.at(-1)?.sk?.S]).toEqual(["299", "150"]);
    expect((await dynamodb.send(new QueryCommand({ ...query, Limit: 1 }))).Items?.[0]?.sk?.S).toBe("000");
    expect((await dynamodb.send(new ScanCommand({ TableName }))).Count).toBe(300);
    await vi.waitFor(() => expect(open.size).toBe(0));
    expect(opened).toBeGreaterThanOrEqual(4);
  } finally {
    destroy();
    await endpoint.close();
    removeDataDirs();
    spy.mockRestore();
  }
});
