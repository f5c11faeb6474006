import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";

it("where the disk takes no more the local AWS says so and lives on, writes nothing further, and has all that it confirmed at its next start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-limited-"));
  const program = join(import.meta.dirname, "limited-endpoint.ts");
  // no file may grow above 2 MB
  const { stdout } = await promisify(execFile)("sh", ["-c", 'ulimit -f 4096; exec "$0" "$1" "$2"', process.execPath, program, folder]);
  const { confirmed, after, readable } = JSON.parse(stdout) as { confirmed: number; after: string; readable: boolean };
  expect({ after, readable }).toEqual({ after: "InternalFailure", readable: true });
  expect(confirmed).toBeGreaterThan(5);
  expect(confirmed).toBeLessThan(200);

  const endpoint = await startEndpoint({ dataDir: folder });
  const client = new DynamoDBClient(clientOptions(endpoint));
  for (let id = 0; id < confirmed; id++) {
    const { Item } = await client.send(new GetItemCommand({ TableName: "items", Key: { id: { S: String(id) } } }));
    expect(Item?.id, `item ${id} of ${confirmed}`).toBeDefined();
  }
  client.destroy();
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});
