import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clientOptions } from "../../local/client-options.ts";
import { Damaged, hasAll, readDocument } from "../../local/damaged.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { openRecordStore } from "../../local/record-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-damaged-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = async (name: string, content: string): Promise<string> => {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
};
/** One sentence that names the file, and one that says what to do. */
const naming = (file: string) => ({
  name: "Damaged",
  message: expect.stringContaining(`${file} cannot be used: `),
  next: expect.stringMatching(/^\S.*\S$/),
});
const thrownBy = async (work: () => unknown): Promise<unknown> => {
  try {
    return await work();
  } catch (error) {
    return error;
  }
};

describe("a document of the data folder", () => {
  it.each([
    ["cut off", '{"name": "we', "it is not JSON any more"],
    ["empty", "", "it is empty"],
    ["zeroed", "\0\0\0\0", "it is not JSON any more"],
    ["of another kind", "[]", "it is not what Shiplog writes there"],
    ["null", "null", "it is not what Shiplog writes there"],
    ["without a part", "{}", "it is not what Shiplog writes there"],
  ])("that is %s is named, with the reason and the way out", async (_, content, why) => {
    const file = await put("a.json", content);
    const error = await thrownBy(() => readDocument(file, hasAll("name"), "Delete it"));
    expect(error).toBeInstanceOf(Damaged);
    expect(error).toMatchObject({ message: `${file} cannot be used: ${why}`, next: "Delete it" });
  });

  it("that is a folder is named too, and one that is not there is none", async () => {
    await mkdir(join(folder, "a.json"));
    expect(await thrownBy(() => readDocument(join(folder, "a.json"), () => true, "Move it away"))).toMatchObject({
      message: `${join(folder, "a.json")} cannot be used: it is a folder`,
    });
    expect(readDocument(join(folder, "b.json"), () => true, "")).toBe(undefined);
  });

  it("of a function or of a build is named", async () => {
    const record = await put("functions/one.json", '{"name":"one"}');
    expect(await thrownBy(() => openRecordStore(dirname(record), ["name", "nextVersion"]))).toMatchObject(naming(record));
    const build = await put("builds/one.json", "{");
    expect(await thrownBy(() => openRecordStore(dirname(build), ["build"]))).toMatchObject(naming(build));
  });
});

describe("the local AWS", () => {
  it("names each file of its own that is damaged, and starts once it is away", async () => {
    await (await startEndpoint({ dataDir: folder })).close();
    for (const name of ["tables.json", "secrets.json", "kms.json", "event-bus.json", "invalidations.json", "key-value-stores/arn.json"]) {
      const file = await put(name, "{");
      expect(await thrownBy(() => startEndpoint({ dataDir: folder })), name).toMatchObject(naming(file));
      await rm(file);
    }
    for (const content of ["x".repeat(5_000), ""]) {
      const objects = await put("queues-and-objects/fauxqs.db", content);
      expect(await thrownBy(() => startEndpoint({ dataDir: folder }))).toMatchObject(naming(objects));
      await rm(dirname(objects), { recursive: true });
    }
    await put("dynamodb/CURRENT", "garbage");
    expect(await thrownBy(() => startEndpoint({ dataDir: folder }))).toMatchObject(naming(join(folder, "dynamodb")));
    await rm(join(folder, "dynamodb"), { recursive: true });
    await (await startEndpoint({ dataDir: folder })).close();
  });

  it("does not begin a new log over one whose file CURRENT is gone, and leaves it as it is", async () => {
    await (await startEndpoint({ dataDir: folder })).close();
    await rm(join(folder, "dynamodb/CURRENT"));
    const files = await readdir(join(folder, "dynamodb"));
    const named = naming(join(folder, "dynamodb"));
    for (let times = 0; times < 2; times++) expect(await thrownBy(() => startEndpoint({ dataDir: folder }))).toMatchObject(named);
    expect(await readdir(join(folder, "dynamodb"))).toEqual(files);
  });

  it("names the log's folder and the way out where a part of a file in it is damaged", async () => {
    const started = async <T>(work: (client: DynamoDBClient) => Promise<T>): Promise<T> => {
      const endpoint = await startEndpoint({ dataDir: folder });
      const client = new DynamoDBClient({ ...clientOptions(endpoint), maxAttempts: 1 });
      try {
        return await work(client);
      } finally {
        client.destroy();
        await endpoint.close();
      }
    };
    const key = { AttributeName: "pk" };
    await started((client) =>
      client.send(
        new CreateTableCommand({
          TableName: "one",
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: [{ ...key, AttributeType: "S" }],
          KeySchema: [{ ...key, KeyType: "HASH" }],
        }),
      ),
    );
    // what was in its log is sorted into a file when it is opened again
    await started(async () => undefined);
    const [table = ""] = (await readdir(join(folder, "dynamodb"))).filter((name) => name.endsWith(".ldb"));
    const bytes = await readFile(join(folder, "dynamodb", table));
    await writeFile(join(folder, "dynamodb", table), bytes.fill(0xff, 0, 60));
    const way = `${join(folder, "dynamodb")} cannot be used: a part of its database is damaged (`;
    await started(async (client) => {
      for (const command of [new DescribeTableCommand({ TableName: "one" }), new ListTablesCommand()]) {
        const { message } = (await thrownBy(() => client.send(command as ListTablesCommand))) as Error;
        expect(message.slice(0, way.length)).toBe(way);
        expect(message).toMatch(/\)\. Restore it from a copy, or move it away: the log begins anew then\.$/);
      }
    });
  });

  it.runIf(existsSync("/dev/full"))("answers what a full disk does not take with 507 and one sentence, and goes on", async () => {
    const endpoint = await startEndpoint({ dataDir: folder });
    const client = new SecretsManagerClient(clientOptions(endpoint));
    const create = () => client.send(new CreateSecretCommand({ Name: "one", SecretString: "x" }));
    await symlink("/dev/full", join(folder, "secrets.json.next"));
    await expect(create()).rejects.toMatchObject({
      name: "InsufficientStorage",
      message: expect.stringMatching(/^No space is left on the disk .*\. Free some, /),
      $metadata: { httpStatusCode: 507, attempts: 1 },
    });
    await rm(join(folder, "secrets.json.next"));
    client.destroy();
    await endpoint.close();
  });
});
