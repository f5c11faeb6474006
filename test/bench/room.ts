import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { type EventStore, eventStore } from "../../engine/log/event-store.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { provisionEngine } from "../../local/provision/engine-resources.ts";

/** A folder of its own for one bench, gone afterwards. */
export const inFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-bench-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The event table on a fresh local endpoint, and the one client that both sides of a comparison use. */
export const withStore = <T>(use: (room: { store: EventStore; clients: Clients; table: string }) => Promise<T>): Promise<T> =>
  inFolder(async (dataDir) => {
    const endpoint = await startEndpoint({ dataDir });
    const clients = awsClients(clientOptions(endpoint));
    try {
      await provisionEngine(clients);
      return await use({ store: eventStore(clients.dynamodb, EVENTS_TABLE), clients, table: EVENTS_TABLE });
    } finally {
      clients.destroy();
      await endpoint.close();
    }
  });
