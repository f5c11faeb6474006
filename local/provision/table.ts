import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import type { Index, Table } from "../../blueprint/stores.ts";
import { unlessThere } from "./unless-there.ts";

/** Makes a table of `blueprint/stores.ts`; one that is there already is kept, and gets its time to live where an earlier release gave it none. */
export const createTable = async (client: DynamoDBClient, { name, keys, primary, indexes, stream, expires }: Table): Promise<void> => {
  const globalIndexes = Object.entries(indexes);
  await unlessThere(() =>
    client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: Object.entries(keys).map(([AttributeName, type]) => ({
          AttributeName,
          AttributeType: type === "number" ? "N" : "S",
        })),
        KeySchema: schema(primary),
        ...(globalIndexes.length > 0 && {
          GlobalSecondaryIndexes: globalIndexes.map(([IndexName, index]) => ({
            IndexName,
            KeySchema: schema(index),
            Projection: { ProjectionType: "ALL" as const },
          })),
        }),
        ...(stream !== null && { StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" as const } }),
      }),
    ),
  );
  if (expires !== null) await expireBy(client, name, expires);
};

const expireBy = async (client: DynamoDBClient, TableName: string, AttributeName: string): Promise<void> => {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  // AWS refuses to switch on what is on
  if (TimeToLiveDescription?.TimeToLiveStatus === "ENABLED") return;
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName, Enabled: true } }));
};

const schema = ({ hash, range }: Index): KeySchemaElement[] => [
  { AttributeName: hash, KeyType: "HASH" },
  { AttributeName: range, KeyType: "RANGE" },
];
