import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";

/** Writes items into a local AWS until it takes no more, and prints how many it confirmed; its parent limits the size of files. */
const endpoint = await startEndpoint({ dataDir: process.argv[2] ?? "" });
const client = new DynamoDBClient({ ...clientOptions(endpoint), maxAttempts: 1 });
await client.send(
  new CreateTableCommand({
    TableName: "items",
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
  }),
);
const put = (id: number): Promise<string> =>
  client.send(new PutItemCommand({ TableName: "items", Item: { id: { S: String(id) }, text: { S: "x".repeat(100_000) } } })).then(
    () => "confirmed",
    (error: Error) => error.name,
  );
let confirmed = 0;
while (confirmed < 200 && (await put(confirmed)) === "confirmed") confirmed += 1;
const after = await put(confirmed + 1);
const first = await client.send(new GetItemCommand({ TableName: "items", Key: { id: { S: "0" } } }));
process.stdout.write(JSON.stringify({ confirmed, after, readable: first.Item !== undefined }));
client.destroy();
await endpoint.close();
