import { EVENTS_TABLE } from "../blueprint/topology.ts";
import { dynamodbClient, keyValueStoreClient, kmsClient, s3Client } from "../engine/aws/clients.ts";
import { systemClock } from "../engine/kit/clock.ts";
import { type EdgeReplayed, type Place, replayEdge, verifyEdge } from "../operator/replay/edge.ts";
import { wireEdge } from "../operator/replay/edge-wiring.ts";
import type { LogVerified } from "../operator/verify/verify-log.ts";
import { findAccount } from "./account.ts";
import type { Context } from "./context.ts";
import { usageError } from "./failure.ts";
import { engineIn, explainTable, openWith, wholeLog } from "./rebuilding.ts";

export type EdgeRebuilding = Awaited<ReturnType<typeof openEdgeRebuilding>>;

/**
 * Opens the log of an engine and the tables that its edges look up: of `shiplog dev`, or of the account which the SDK's ordinary rules
 * name. The engine's API is asked which environments are declared, and which table is whose.
 */
export async function openEdgeRebuilding(context: Context) {
  const { signal } = context;
  const account = findAccount(context);
  const { options } = account;
  const clients = {
    dynamodb: dynamodbClient(options),
    s3: s3Client(options),
    kms: kmsClient(options),
    keyValueStore: keyValueStoreClient(options),
  };
  const explained = explainTable("The edge's table is not there", "the edge");
  return openWith(clients, async () => {
    const { buckets } = await engineIn(account, clients.dynamodb);
    const places = await placesOf(context);
    const ports = wireEdge(clients, { eventsTable: EVENTS_TABLE, files: buckets.static }, { clock: systemClock, signal });
    return {
      replay: (): Promise<EdgeReplayed> => replayEdge(ports, places).catch(explained),
      verify: (): Promise<EdgeReplayed> => verifyEdge(ports, places).catch(explained),
      /** Verifies what rows are compared with: the event table and, unless it is taken alone, every seal. */
      verifyLog: (from: string): Promise<LogVerified> => wholeLog(clients, from === "table" ? undefined : buckets.archive, context),
    };
  });
}

const placesOf = async (context: Context): Promise<Place[]> => {
  const environments = await context.api().environments();
  const places = environments.flatMap(({ site, environment, edge }) => (edge === undefined ? [] : [{ site, environment, ...edge }]));
  if (places.length > 0) return places;
  throw usageError(
    "The engine names no environment whose edge looks up a table.",
    "Where there is one, the engine is older than this command: update it with `shiplog up`.",
  );
};
