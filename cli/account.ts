import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { fillIn } from "../infra/rights.ts";
import { type BucketKey, buckets } from "../infra/stores.ts";
import { awsClients, type Clients } from "../services/aws/clients.ts";
import type { Connection } from "./connection.ts";
import { usageError } from "./failure.ts";

/** The AWS behind an engine: the account that the environment names, or the local one of `shiplog dev`. */
export type Account = {
  readonly clients: Clients;
  /** for messages: "account 123456789012 in eu-west-1", or the address of the local one */
  readonly name: string;
  readonly local: boolean;
  /** names of the buckets; none where the account has nothing of Shiplog's yet, so that its number is not known */
  readonly buckets: Readonly<Partial<Record<BucketKey, string>>>;
};

/** Accepted by the local AWS, which asks for no credentials, and secret from nobody. */
const LOCAL = { region: "eu-west-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

/**
 * Opens the AWS of an engine, by the SDK's ordinary rules (AWS_REGION, AWS_PROFILE, …) where the engine is not local.
 *
 * @throws CliError (usage) where no region or no credentials are known
 */
export const openAccount = async (connection: Connection | undefined): Promise<Account> => {
  const endpoint = connection?.endpoint;
  if (endpoint !== undefined) {
    const names = Object.fromEntries(Object.entries(buckets).map(([key, { name }]) => [key, name]));
    return { clients: awsClients({ ...LOCAL, endpoint }), name: `the local AWS at ${endpoint}`, local: true, buckets: names };
  }
  const clients = awsClients();
  try {
    const region = await clients.sqs.config.region();
    const { QueueUrls: [url = ""] = [] } = await clients.sqs.send(new ListQueuesCommand({ QueueNamePrefix: "shiplog-", MaxResults: 1 }));
    const account = new URL(url === "" ? "https://none" : url).pathname.split("/")[1] ?? "";
    const names = Object.keys(buckets).map((key) => [key, fillIn(key as BucketKey, account, region)]);
    return {
      clients,
      name: account === "" ? region : `account ${account} in ${region}`,
      local: false,
      buckets: account === "" ? {} : Object.fromEntries(names),
    };
  } catch (error) {
    clients.destroy();
    const { name, message } = error as Error;
    throw usageError(
      `AWS cannot be asked: ${name}: ${message}.`,
      "Set AWS_REGION and credentials (AWS_PROFILE, or `aws sso login`), or start a local engine with `shiplog dev`.",
    );
  }
};
