import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { dynamodbClient, kmsClient, s3Client } from "../../engine/aws/clients.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { viewNames } from "../../engine/views/read-models.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { type Rebuilt, replay, verifyViews } from "../../operator/replay/replay.ts";
import { wire } from "../../operator/replay/wiring.ts";

/** What one rebuild or comparison in a process of its own came to. */
export type Done = Pick<Rebuilt, "events" | "rows" | "seconds"> & {
  /** peak, in MB */
  readonly rss: number;
  /** its heap at most where it told of its progress, garbage collected, in MB; only where Node was started with `--expose-gc` */
  readonly held: number;
};

/** `node replay-worker.ts <segments|table|verify>`, with the place of the local AWS and its access key in the environment */
const [, , from = "segments"] = process.argv;
const clients = { dynamodb: dynamodbClient(), s3: s3Client(), kms: kmsClient() };
const names = { eventsTable: EVENTS_TABLE, viewsTable: VIEWS_TABLE, archive: BUCKETS.archive, sealKey: SEAL_KEY };
let held = 0;
const tell = (line: string): void => {
  console.error(`    ${line}`);
  if (globalThis.gc === undefined) return;
  globalThis.gc();
  // what is outside of the heap (answers, zlib) goes a moment later and is counted by the process' peak
  held = Math.max(held, process.memoryUsage().heapUsed / 2 ** 20);
};
const ports = wire(clients, names, { clock: systemClock, by: `bench ${process.pid}`, tell });
const { events, rows, seconds } =
  from === "verify"
    ? await verifyViews(ports, { views: viewNames, from: "segments" })
    : await replay(ports, { views: viewNames, from: from as "segments" | "table" });
process.send?.({ events, rows, seconds, rss: process.resourceUsage().maxRSS / 1024, held } satisfies Done);
for (const client of Object.values(clients)) client.destroy();
process.disconnect?.();
