import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { bucketNameIn } from "../blueprint/rights.ts";
import { type BucketKey, buckets } from "../blueprint/stores.ts";
import { EVENTS_TABLE } from "../blueprint/topology.ts";
import type { ClientOptions } from "../engine/aws/clients.ts";
import { problemOf } from "../engine/aws/errors.ts";
import { clientOptions } from "../local/client-options.ts";
import { type Connection, findConnection } from "./connection.ts";
import type { Context } from "./context.ts";
import { CliError, usageError } from "./failure.ts";

/** The AWS behind an engine: the account that the environment names, or the local one of `shiplog dev`. */
export type Account = {
  /** where its API is; nothing where only the account is known */
  readonly connection: Connection | undefined;
  readonly local: boolean;
  /** what AWS clients are made with: nothing where the SDK's ordinary rules hold (AWS_REGION, AWS_PROFILE, …) */
  readonly options: ClientOptions;
};

/**
 * Without an engine's address the account itself can still be asked.
 *
 * @throws CliError (usage) where an older `shiplog dev` is running, which made no access key
 */
export const findAccount = ({ data }: Context): Account => {
  const connection = known(data);
  if (connection?.endpoint === undefined) return { connection, local: false, options: {} };
  const { endpoint, credentials, source } = connection;
  if (process.env.SHIPLOG_STAGE)
    throw usageError(
      `SHIPLOG_STAGE names a stage on AWS, and ${source} leads to the engine of this machine, which has none.`,
      "Unset it to look at this machine, or run the command where no shiplog dev runs.",
    );
  if (credentials === undefined)
    throw usageError(`${source} has no access key for the local AWS.`, "Stop `shiplog dev` and start it again: it writes a new one.");
  return { connection, local: true, options: clientOptions({ url: endpoint, credentials }) };
};

const known = (data: string | undefined): Connection | undefined => {
  try {
    return findConnection(data, process.env, process.cwd());
  } catch (error) {
    if (data === undefined && error instanceof CliError) return undefined;
    throw error;
  }
};

/** Names of the buckets: on AWS they carry the account's number and the region. `account`: for messages. */
export type AccountResources = { readonly account: string; readonly buckets: Readonly<Record<BucketKey, string>> };

/**
 * Where an account's engine is, as the event table's ARN says; `undefined` where the account has no event table.
 *
 * @throws CliError (usage) where no region or no credentials are known
 */
export const resourcesOf = async ({ local, options }: Account, dynamodb: DynamoDBClient): Promise<AccountResources | undefined> => {
  if (local) return { account: `the local AWS at ${options.endpoint}`, buckets: named((bucket) => buckets[bucket].name) };
  try {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: EVENTS_TABLE }));
    const [, , , region = "", account = ""] = Table?.TableArn?.split(":") ?? [];
    return { account: `account ${account} in ${region}`, buckets: named((bucket) => bucketNameIn(bucket, account, region)) };
  } catch (error) {
    if (problemOf(error) === "missing") return undefined;
    const { name, message } = error as Error;
    throw usageError(
      `No local engine runs for this folder, and AWS cannot be asked: ${name === "Error" ? "" : `${name}: `}${message.replace(/\.$/, "")}.`,
      "Start one with `shiplog dev`, or go to where it runs; for an engine on AWS set AWS_REGION and credentials (AWS_PROFILE, or `aws sso login`).",
    );
  }
};

const named = (nameOf: (bucket: BucketKey) => string): Record<BucketKey, string> =>
  Object.fromEntries(Object.keys(buckets).map((key) => [key, nameOf(key as BucketKey)])) as Record<BucketKey, string>;
