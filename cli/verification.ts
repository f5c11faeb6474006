import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { EVENTS_TABLE, SEAL_KEY } from "../blueprint/topology.ts";
import { counted } from "../domain/kernel/counted.ts";
import { publicKeyOf, showSealFault } from "../engine/archive/sealed-history.ts";
import { kmsSigner } from "../engine/archive/signer.ts";
import { dynamodbClient, kmsClient, s3Client } from "../engine/aws/clients.ts";
import { systemClock } from "../engine/kit/clock.ts";
import { type LogVerified, verifyLog } from "../operator/verify/verify-log.ts";
import { wire } from "../operator/verify/wiring.ts";
import { findAccount, resourcesOf } from "./account.ts";
import type { Context } from "./context.ts";
import { CliError, type ExitCode, exit, usageError } from "./failure.ts";
import { plain } from "./terminal.ts";
import { timeOf } from "./verify-export.ts";

/**
 * Verifies the log of an engine where it lies: the archive's seals and segments, and every row of the event table. Like a
 * rebuild it looks past the API at the account, with the SDK's own credentials: it reads everything, and it must not take
 * the engine's word for it.
 *
 * @param trusted PEM of the key that is trusted; without it the account's own
 */
export async function verification(context: Context, trusted: string | undefined): Promise<ExitCode> {
  const { terminal, json, signal } = context;
  try {
    const verified = await verifiedLog(context, trusted);
    if (json) terminal.document(verified);
    else terminal.result(plain(showLog(verified)));
    if (isWhole(verified)) return exit.reached;
    terminal.note("What was sealed and verified is in the archive as it was written: `shiplog audit export --out <folder>` has it.");
    return exit.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CliError(exit.interrupted, "interrupted", "Interrupted before everything was verified. Nothing was changed.", {
      cause: error,
    });
  }
}

async function verifiedLog(context: Context, trusted: string | undefined): Promise<LogVerified> {
  const { terminal } = context;
  const account = findAccount(context);
  const { options } = account;
  const clients = { dynamodb: dynamodbClient(options), s3: s3Client(options), kms: kmsClient(options) };
  try {
    const resources = await resourcesOf(account, clients.dynamodb);
    if (resources === undefined)
      throw usageError(
        `There is no event table "${EVENTS_TABLE}" in this account and region.`,
        "Set AWS_REGION and AWS_PROFILE to where the engine is, or name the folder of an export.",
      );
    terminal.note(`Reading the whole log of ${resources.account}: this costs what the log is long.`);
    return await verifiedWith(clients, resources.buckets.archive, trusted, context);
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

/**
 * Verifies the log with these clients.
 *
 * @param archive bucket of the seals; without it the event table is verified by its chains alone
 * @param trusted PEM of the key that is trusted; without it the account's own
 */
export async function verifiedWith(
  clients: { readonly dynamodb: DynamoDBClient; readonly s3: S3Client; readonly kms: KMSClient },
  archive: string | undefined,
  trusted: string | undefined,
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
): Promise<LogVerified> {
  const key = publicKeyOf(trusted ?? (await kmsSigner(clients.kms, SEAL_KEY).publicKey()));
  if (key === undefined) throw usageError("The public key is not an Ed25519 key in PEM.", "Name the one that you trust with --key.");
  const run = { clock: systemClock, key, signal, tell: (line: string) => terminal.note(line) };
  return verifyLog(wire(clients, { eventsTable: EVENTS_TABLE, archive }, run));
}

export const isWhole = ({ fault, faults }: LogVerified): boolean => fault === null && faults.length === 0;

/** What was verified, or the first fault of the seals and of each stream, a line each. */
const showLog = (verified: LogVerified): string => {
  const { seals, commits, until, streams, rows, unsealed } = verified;
  const vouched =
    unsealed.commits === 0
      ? "none is left to seal"
      : `${unsealed.commits} since ${unsealed.since} are in no seal: their chain alone vouches for them (shiplog audit seal)`;
  if (isWhole(verified)) {
    const sealed = until === null ? "" : `, ${commits} of them in ${counted(seals, "seal")} up to ${timeOf(until)}`;
    return `verified: ${counted(rows, "commit")} of ${counted(streams, "stream")}${sealed}; ${vouched}`;
  }
  return faultsOf(verified)
    .map((line) => `NOT VERIFIED: ${line}`)
    .join("\n");
};

/** The first fault of the seals and of each stream, a line each. */
export const faultsOf = ({ fault, faults }: LogVerified): string[] => [
  ...(fault === null ? [] : [showSealFault(fault)]),
  ...faults.map(({ stream, version, reason }) => `${stream} version ${version}: ${reason}`),
];
