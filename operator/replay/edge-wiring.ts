import type { CloudFrontKeyValueStoreClient } from "@aws-sdk/client-cloudfront-keyvaluestore";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import { edgeTable } from "../../engine/aws/edge-table.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { publicSets } from "../../engine/open-next/public-set.ts";
import type { Ports } from "./edge.ts";

/** `files`: the bucket with the manifests of releases. */
export type Names = { readonly eventsTable: string; readonly files: string };
type Clients = { readonly dynamodb: DynamoDBClient; readonly s3: S3Client; readonly keyValueStore: CloudFrontKeyValueStoreClient };

/** The ports of a replay of the edge. It reads the log and manifests, and writes nothing but tables of edges. */
export const wireEdge = (
  { dynamodb, s3, keyValueStore }: Clients,
  { eventsTable, files }: Names,
  run: Pick<Ports, "clock" | "signal">,
): Ports => {
  const read = unbroken(eventStore(dynamodb, eventsTable).read);
  const sets = publicSets(s3Objects(s3, run.clock));
  /** the same for as long as this runs: no manifest changes */
  const rows = new Map<string, Promise<readonly string[]>>();
  return {
    ...run,
    edgeTable: edgeTable(keyValueStore),
    events: async (stream) => (await read(stream, 0)).flatMap(eventsOf),
    fileRows: (manifest) => {
      const known = rows.get(manifest) ?? sets.named({ bucket: files }, manifest).then((set) => set.rows);
      rows.set(manifest, known);
      return known;
    },
  };
};
