import { once } from "node:events";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { peopleTable, snapshotsTable } from "../../blueprint/stores.ts";
import { clientOptions } from "../../local/client-options.ts";
import { createTable } from "../../local/provision/table.ts";
import { ANY_KEY } from "./any-key.ts";

const dynalite = createRequire(import.meta.url)("dynalite") as (options: object) => Server;
const key = (AttributeName: string, KeyType: "HASH" | "RANGE") => ({ AttributeName, KeyType });

export const TABLE = "events";

/** A DynamoDB in memory with an empty event table and one of snapshots, for one test file. */
export type Table = {
  readonly client: DynamoDBClient;
  /** another client of the same table: another machine, or one whose network a test breaks */
  readonly connect: () => DynamoDBClient;
  readonly close: () => Promise<void>;
};

export const startTable = async (): Promise<Table> => {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: DynamoDBClient[] = [];
  const connect = () => {
    const client = new DynamoDBClient(clientOptions({ url, credentials: ANY_KEY }));
    clients.push(client);
    return client;
  };
  const client = connect();
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [key("pk", "HASH"), key("sk", "RANGE")],
      GlobalSecondaryIndexes: [
        { IndexName: "log", KeySchema: [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")], Projection: { ProjectionType: "ALL" } },
      ],
    }),
  );
  await createTable(client, snapshotsTable);
  await createTable(client, peopleTable);
  return {
    client,
    connect,
    close: async () => {
      for (const each of clients) each.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
};
