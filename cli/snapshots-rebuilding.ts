import { EVENTS_TABLE, SNAPSHOTS_TABLE, VIEWS_TABLE } from "../blueprint/topology.ts";
import { dynamodbClient, kmsClient, s3Client } from "../engine/aws/clients.ts";
import { systemClock } from "../engine/kit/clock.ts";
import { dropSnapshots, type SnapshotsDropped, type SnapshotsVerified, verifySnapshots } from "../operator/replay/snapshots.ts";
import { wireSnapshots } from "../operator/replay/snapshots-wiring.ts";
import type { LogVerified } from "../operator/verify/verify-log.ts";
import { findAccount } from "./account.ts";
import type { Context } from "./context.ts";
import { engineIn, explainTable, openWith, wholeLog } from "./rebuilding.ts";

export type SnapshotsRebuilding = Awaited<ReturnType<typeof openSnapshotsRebuilding>>;

/**
 * Opens the log, the table of snapshots and the waypoints of an engine: of `shiplog dev`, or of the account which the SDK's ordinary rules name.
 *
 * @param by one name for this run
 */
export async function openSnapshotsRebuilding(context: Context, by: string) {
  const { terminal, signal } = context;
  const account = findAccount(context);
  const { options } = account;
  const clients = { dynamodb: dynamodbClient(options), s3: s3Client(options), kms: kmsClient(options) };
  const explained = explainTable(`The table ${SNAPSHOTS_TABLE} is not there`, "snapshots");
  return openWith(clients, async () => {
    const { buckets } = await engineIn(account, clients.dynamodb);
    const names = { eventsTable: EVENTS_TABLE, snapshotsTable: SNAPSHOTS_TABLE, viewsTable: VIEWS_TABLE };
    const ports = wireSnapshots(clients.dynamodb, names, { clock: systemClock, by, tell: (line) => terminal.note(line), signal });
    return {
      drop: (): Promise<SnapshotsDropped> => dropSnapshots(ports).catch(explained),
      verify: (): Promise<SnapshotsVerified> => verifySnapshots(ports).catch(explained),
      /** Verifies what rows are compared with: the event table and, unless it is taken alone, every seal. */
      verifyLog: (from: string): Promise<LogVerified> => wholeLog(clients, from === "table" ? undefined : buckets.archive, context),
    };
  });
}
