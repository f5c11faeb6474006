import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../blueprint/topology.ts";
import { SealBroken } from "../engine/archive/sealed-history.ts";
import { dynamodbClient, kmsClient, s3Client } from "../engine/aws/clients.ts";
import { isDenied, problemOf } from "../engine/aws/errors.ts";
import { systemClock } from "../engine/kit/clock.ts";
import { ChainBroken } from "../engine/log/chain-broken.ts";
import { RebuildInterrupted, RebuildMismatch, replay, verifyViews, type Wanted } from "../operator/replay/replay.ts";
import { wire } from "../operator/replay/wiring.ts";
import type { LogVerified } from "../operator/verify/verify-log.ts";
import { type Account, type AccountResources, findAccount, resourcesOf } from "./account.ts";
import type { Context } from "./context.ts";
import { CliError, exit, usageError } from "./failure.ts";
import { faultsOf, isWhole, verifiedWith } from "./verification.ts";

export { viewNames } from "../engine/views/read-models.ts";
export type Rebuilding = Awaited<ReturnType<typeof openRebuilding>>;

/**
 * Opens the log, the archive and the table of views of an engine: the local one of `shiplog dev`, or that of the account
 * which the SDK's ordinary rules name (AWS_REGION, AWS_PROFILE, …). It takes as long as it takes, so it runs here and not
 * behind the API.
 *
 * @param by one name for this run
 */
export async function openRebuilding(context: Context, by: string) {
  const { terminal, signal } = context;
  const account = findAccount(context);
  const { options } = account;
  const clients = { dynamodb: dynamodbClient(options), s3: s3Client(options), kms: kmsClient(options) };
  return openWith(clients, async () => {
    const resources = await engineIn(account, clients.dynamodb);
    const names = { eventsTable: EVENTS_TABLE, viewsTable: VIEWS_TABLE, archive: resources.buckets.archive, sealKey: SEAL_KEY };
    const ports = wire(clients, names, { clock: systemClock, by, tell: (line) => terminal.note(line), signal });
    return {
      rebuild: ({ restart, ...wanted }: Wanted & { restart: boolean }) => replay(ports, wanted, { restart }).catch(explain),
      verify: (wanted: Wanted) => verifyViews(ports, wanted).catch(explain),
      /** Verifies what rows are compared with: the event table and, unless it is taken alone, every seal. */
      verifyLog: (from: Wanted["from"]) => wholeLog(clients, from === "table" ? undefined : resources.buckets.archive, context),
    };
  });
}

/** What an engine has in this account. @throws CliError (usage) where there is none */
export async function engineIn(account: Account, dynamodb: DynamoDBClient): Promise<AccountResources> {
  const resources = await resourcesOf(account, dynamodb);
  if (resources !== undefined) return resources;
  throw usageError(
    `There is no event table "${EVENTS_TABLE}" in this account and region.`,
    "Set AWS_REGION and AWS_PROFILE to where the engine is, or start a local one with `shiplog dev`.",
  );
}

/**
 * What is opened with these clients: they go with it, or where it cannot be opened.
 *
 * @param open what it needs to be asked for first
 */
export async function openWith<T extends object>(
  clients: Readonly<Record<string, { destroy(): void }>>,
  open: () => Promise<T>,
): Promise<T & { close(): void }> {
  const close = (): void => {
    for (const client of Object.values(clients)) client.destroy();
  };
  try {
    return { ...(await open()), close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * What a person is told where a table cannot be asked.
 *
 * @param missing one sentence, where it is not there
 * @param what a replay of what takes the rights that docs/aws.md names
 */
export const explainTable =
  (missing: string, what: string) =>
  (error: unknown): never => {
    if (isDenied(error))
      throw usageError(
        `These credentials may not do that: ${(error as Error).message}.`,
        `docs/aws.md names the rights that a replay of ${what} takes.`,
      );
    if (problemOf(error) === "missing")
      throw new CliError(exit.failed, "table.missing", `${missing}: ${(error as Error).message}`, {
        next: "Make it with `shiplog up`, or start `shiplog dev` again; then run this command again.",
        cause: error,
      });
    return explain(error);
  };

/** The log as it was verified. @param archive bucket of the seals, where they are to be verified too @throws CliError where it was changed */
export async function wholeLog(
  clients: Parameters<typeof verifiedWith>[0],
  archive: string | undefined,
  context: Context,
): Promise<LogVerified> {
  const log = await verifiedWith(clients, archive, undefined, context);
  if (!isWhole(log)) throw notTheLog(log);
  return log;
}

/** Nothing is compared with a log that was changed. */
function notTheLog(log: LogVerified): CliError {
  const places = faultsOf(log).join("\n");
  const code = log.fault === null ? "stream.broken" : "segment.tampered";
  return new CliError(exit.failed, code, `The log was changed behind Shiplog's back. No row was compared with it.\n${places}`, {
    next: "Keep a copy of the event table as it is. What was sealed and verified is in:  shiplog audit export --out <folder>",
  });
}

/** What a person is told of a rebuild that came to no end. */
export function explain(error: unknown): never {
  if (error instanceof RebuildMismatch) {
    const rows = error.differences.map(({ stream, what }) => `${stream}: ${what}`).join("\n");
    throw new CliError(exit.failed, "views.differ", `${sentence(error)} Readers still have the rows before.\n${rows}`, {
      next: "Run it again; where it happens again, the projection and the rebuild are of different releases.",
      cause: error,
    });
  }
  if (error instanceof RebuildInterrupted)
    throw new CliError(exit.conflict, "replay.unfinished", sentence(error), {
      next: "Finish it with the same view, or drop it with --restart.",
      cause: error,
    });
  if (error instanceof Error && error.name === "RebuildRunning")
    throw new CliError(exit.conflict, "replay.occupied", sentence(error), { next: "Wait for it, or stop it.", cause: error });
  if (error instanceof ChainBroken)
    throw new CliError(exit.failed, "stream.broken", `${sentence(error)} Readers still have what they had.`, {
      next: "Find every such commit with:  shiplog audit verify",
      cause: error,
    });
  if (error instanceof SealBroken)
    throw new CliError(
      exit.failed,
      "segment.tampered",
      `${sentence(error)} Nothing was rebuilt from it; readers still have what they had.`,
      {
        next: "Find the place with `shiplog audit verify`. The event table alone is read with --from table.",
        cause: error,
      },
    );
  throw error;
}

const sentence = ({ message }: Error): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
