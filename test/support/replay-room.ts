import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { sealArchive } from "../../engine/archive/archive.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import { awsClients } from "../../engine/aws/clients.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { each } from "../../engine/kit/each.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { viewItems } from "../../engine/views/view-items.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { BUCKETS, provisionEngine } from "../../local/provision/engine-resources.ts";
import { wire } from "../../operator/replay/wiring.ts";
import { project } from "../../services/project/project.ts";
import { startProxy } from "./proxy.ts";

/** The local AWS with the engine's tables and nothing that consumes: a log, an archive and read models to rebuild. */
export type ReplayRoom = Awaited<ReturnType<typeof startReplayRoom>>;

const WIDTH = 8;

export const startReplayRoom = async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-replay-"));
  const endpoint = await startEndpoint({ dataDir: join(folder, "aws") });
  const proxy = await startProxy(endpoint.url);
  const clients = awsClients(clientOptions(endpoint));
  /** as a rebuild has them: every request of theirs is seen */
  const watched = awsClients(clientOptions({ url: proxy.url, credentials: endpoint.credentials }));
  await provisionEngine(clients);
  // what a local engine leaves for the command line; nobody answers at its API
  const data = join(folder, "data");
  await mkdir(data);
  await writeFile(
    join(data, "connection.json"),
    JSON.stringify({ url: "http://127.0.0.1:1", token: "none", endpoint: proxy.url, credentials: endpoint.credentials }),
  );

  const store = eventStore(clients.dynamodb, EVENTS_TABLE);
  const views = viewsTable(clients.dynamodb, VIEWS_TABLE, store.read);
  const itemOf = itemCodec(EVENTS_TABLE);
  const shards = logShards(clients.dynamodb, EVENTS_TABLE);
  /** of a log that ends there */
  const archiveOf = (until: number) => {
    const read = async (stream: string, after: number) =>
      (await store.read(stream, after)).filter(({ position }) => Number(position) < until);
    const log = { read, shards, notes: views };
    return sealArchive(s3Objects(clients.s3, systemClock), BUCKETS.archive, kmsSigner(clients.kms, SEAL_KEY), log, { now: () => until });
  };

  return {
    /** for `--data` */
    data,
    proxy,
    clients,
    store,
    views,
    items: viewItems(clients.dynamodb, VIEWS_TABLE),
    /** Writes commits as they are: history that somebody else made. */
    write: async (commits: readonly Commit[]): Promise<void> => {
      const batches = Array.from({ length: Math.ceil(commits.length / 25) }, (_, n) => commits.slice(n * 25, n * 25 + 25));
      await each(batches, WIDTH, async (batch) => {
        const RequestItems = { [EVENTS_TABLE]: batch.map((commit) => ({ PutRequest: { Item: itemOf(commit) } })) };
        await clients.dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
      });
      const ends = new Map(commits.map(({ stream, version }) => [stream, version]));
      await each([...ends], WIDTH, async ([stream, version]) => void (await views.noteUnsealed(stream, version)));
    },
    /** What the projection does when it hears of a commit. */
    project: project({ read: store.read, views }),
    /** Seals everything before a time. */
    seal: (until: number) => archiveOf(until).seal("nothing new"),
    /** A rebuild's ports, for one that runs in this process. */
    ports: (change: Partial<Parameters<typeof wire>[2]> = {}) =>
      wire(
        watched,
        { eventsTable: EVENTS_TABLE, viewsTable: VIEWS_TABLE, archive: BUCKETS.archive, sealKey: SEAL_KEY },
        { clock: { ...systemClock, sleep: async () => undefined }, by: crypto.randomUUID(), tell: () => undefined, ...change },
      ),
    close: async (): Promise<void> => {
      clients.destroy();
      watched.destroy();
      await proxy.close();
      await endpoint.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
