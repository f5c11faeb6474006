import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { EVENTS_TABLE, SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { environment as decider } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import { each } from "../../engine/kit/each.ts";
import { eventsOf, itemCodec } from "../../engine/log/codec.ts";
import { SNAPSHOT_EVERY } from "../../engine/log/execute.ts";
import { NOTHING_INDEXED, snapshotTable } from "../../engine/log/snapshots.ts";
import { textOfState } from "../../engine/log/state-text.ts";
import { type ViewName, viewNames } from "../../engine/views/read-models.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { project } from "../../services/project/project.ts";
import { rowsOf } from "../support/rows-of.ts";

const BATCH = 25;
const WIDTH = 8;

/** Puts commits of many streams into the table, as quickly as it takes them. */
export const putCommits = async ({ dynamodb }: Clients, commits: readonly Commit[]): Promise<void> => {
  const itemOf = itemCodec(EVENTS_TABLE);
  const batches = Array.from({ length: Math.ceil(commits.length / BATCH) }, (_, n) => commits.slice(n * BATCH, (n + 1) * BATCH));
  await each(batches, WIDTH, async (batch) => {
    const RequestItems = { [EVENTS_TABLE]: batch.map((commit) => ({ PutRequest: { Item: itemOf(commit) } })) };
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
  });
};

/** A log as its engine would have left it: its commits, its days, and the rows of every view. */
export const putLog = async ({ clients, eventLog, views }: Engine, commits: readonly Commit[]): Promise<{ deployments: number }> => {
  await putCommits(clients, commits);
  await eventLog.completeDays();
  const rows = views.rows(0);
  const wanted = [...rowsOf(commits)].filter(([, row]) => row !== undefined);
  await each(wanted, WIDTH, async ([key, row]) => {
    const name = viewNames.find((view) => key.startsWith(`${view} `)) as ViewName;
    await rows[name].put(row as never);
  });
  return { deployments: wanted.filter(([key]) => key.startsWith("deployments ")).length };
};

/**
 * An environment that has a past as its engine would have left it: rows of causes and a snapshot where it is long enough for one, its
 * row, and nothing to be passed on.
 */
export const settle = async ({ clients: { dynamodb }, store, views }: Engine, site: string, environment: string): Promise<void> => {
  const stream = environmentStream(site, environment);
  const commits = await store.read(stream, 0);
  const { version = 0, hash = "" } = commits.at(-1) ?? {};
  if (version >= SNAPSHOT_EVERY) {
    const snapshots = snapshotTable(dynamodb, SNAPSHOTS_TABLE);
    const handled = commits.map((commit) => [commit.id, commit.version] as const);
    await snapshots.index(stream, handled, NOTHING_INDEXED, { version, hash });
    const state = textOfState(fold(decider, commits.flatMap(eventsOf).map(readEnvironmentEvent)));
    await snapshots.write(stream, decider.shape, { version, hash, state });
  }
  await views.setRelayed(stream, version);
  await project({ read: store.read, views })({ stream, version });
};
