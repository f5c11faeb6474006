import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import { archivedHistory } from "../../engine/archive/archived-history.ts";
import type { SealedHistory } from "../../engine/archive/sealed-history.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { tableRows } from "../../engine/log/table-rows.ts";
import type { Ports } from "./verify-log.ts";

/** Where the log and its seals are; without an archive no seal is read, and the table is verified by its chains alone. */
export type Names = { readonly eventsTable: string; readonly archive: string | undefined };

const NO_SEALS: SealedHistory = { seals: async function* () {}, open: async () => undefined };

/** A verification's ports. It reads with these two clients, and can do nothing else. */
export const wire = (
  { dynamodb, s3 }: { dynamodb: DynamoDBClient; s3: S3Client },
  { eventsTable, archive }: Names,
  { clock, ...run }: Pick<Ports, "key" | "tell" | "signal"> & { readonly clock: Clock },
): Ports => ({
  ...run,
  history: archive === undefined ? NO_SEALS : archivedHistory(s3Objects(s3, clock), archive),
  rows: tableRows(dynamodb, eventsTable),
  itemOf: itemCodec(eventsTable),
});
