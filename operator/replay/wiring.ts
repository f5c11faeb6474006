import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { archivedHistory } from "../../engine/archive/archived-history.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { newestStreams, sampleTable } from "../../engine/log/sample-table.ts";
import { tableRows } from "../../engine/log/table-rows.ts";
import { viewItems } from "../../engine/views/view-items.ts";
import { viewsTable } from "../../engine/views/views.ts";
import type { Ports } from "./replay.ts";

/** Where the log, its seals and the read models are. */
export type Names = {
  readonly eventsTable: string;
  readonly viewsTable: string;
  /** the bucket of sealed segments; `undefined` where it is not known: everything is read from the table */
  readonly archive: string | undefined;
  readonly sealKey: string;
};

export type Run = Pick<Ports, "clock" | "by" | "tell" | "signal">;

/** A rebuild's ports. These three clients are all that it has: it can neither deploy, nor build, nor send. */
export const wire = (
  { dynamodb, s3, kms }: { dynamodb: DynamoDBClient; s3: S3Client; kms: KMSClient },
  { eventsTable, viewsTable: rows, archive: bucket, sealKey }: Names,
  run: Run,
): Ports => {
  const { clock } = run;
  const read = unbroken(eventStore(dynamodb, eventsTable).read);
  const views = viewsTable(dynamodb, rows, read);
  return {
    ...run,
    read,
    shards: logShards(dynamodb, eventsTable),
    archive: bucket === undefined ? undefined : sealed(bucket, clock),
    views,
    notes: views,
    items: viewItems(dynamodb, rows),
    sample: () =>
      sampleTable({
        rows: tableRows(dynamodb, eventsTable),
        newest: newestStreams(dynamodb, eventsTable),
        sealedHead: views.sealedHead,
        itemOf: itemCodec(eventsTable),
        random: clock.random,
      }),
  };

  function sealed(name: string, ticking: Clock): Ports["archive"] {
    const objects = s3Objects(s3, ticking);
    return { ...archivedHistory(objects, name), publicKey: kmsSigner(kms, sealKey).publicKey };
  }
};
