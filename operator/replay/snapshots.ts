import type { Commit } from "../../domain/kernel/chain.ts";
import { counted } from "../../domain/kernel/counted.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { each } from "../../engine/kit/each.ts";
import type { SnapshotRows } from "../../engine/log/snapshot-rows.ts";
import { BATCH } from "../../engine/log/snapshots.ts";
import type { WaypointRows } from "../../engine/views/waypoint-rows.ts";
import { foreignStates, snapshotFaults } from "./snapshot-faults.ts";
import { dropWaypoints, verifyWaypoints } from "./waypoints.ts";

export type Ports = {
  readonly rows: SnapshotRows;
  readonly waypoints: WaypointRows;
  /** the commits of a stream after a version, strongly consistent; throws `ChainBroken` */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  readonly clock: Clock;
  /** one name for this run */
  readonly by: string;
  /** one line of progress */
  tell(line: string): void;
  /** it stops soon after this is aborted */
  readonly signal?: AbortSignal | undefined;
};

export type SnapshotsVerified = {
  readonly streams: number;
  readonly states: number;
  readonly causes: number;
  /** rows of environments as they were */
  readonly waypoints: number;
  /** of the states and of these: those of another shape, which only other releases take */
  readonly foreign: number;
  readonly differences: readonly { readonly stream: string; readonly what: string }[];
  readonly seconds: number;
};

export type SnapshotsDropped = {
  readonly streams: number;
  readonly rows: number;
  /** of the streams: those that another run took over meanwhile */
  readonly left: number;
  readonly seconds: number;
};

const WIDTH = 8;
const PAUSE_MS = 10_000;

/** Compares the snapshots, the rows of handled causes and the rows of environments as they were with the log, and changes nothing. */
export const verifySnapshots = async (ports: Ports): Promise<SnapshotsVerified> => {
  const { rows, read, clock, signal } = ports;
  const began = clock.now();
  const streams = await rows.streams();
  const differences: { stream: string; what: string }[] = [];
  const sums = { states: 0, causes: 0, foreign: 0 };
  await each(streams, WIDTH, async (stream) => {
    signal?.throwIfAborted();
    const found = await rows.of(stream);
    // after the rows: none of them is of a commit that is not there yet
    const commits = await read(stream, 0);
    sums.states += found.states.size;
    sums.causes += found.handled.size;
    sums.foreign += foreignStates(stream, found, commits);
    for (const what of snapshotFaults(stream, found, commits)) differences.push({ stream, what });
  });
  const past = await verifyWaypoints(ports);
  differences.push(...past.differences);
  differences.sort((a, b) => (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : 0));
  return {
    streams: streams.length,
    ...sums,
    waypoints: past.waypoints,
    foreign: sums.foreign + past.foreign,
    differences,
    seconds: (clock.now() - began) / 1_000,
  };
};

/**
 * Drops all of the table while engines go on, and the rows of environments as they were: what they need they make again.
 *
 * First every stream is closed, so that nobody takes a row for one that must be there, and nobody can say that he has indexed
 * anything. Then who asked for a row and for `indexed` in one request just before is waited for: a row that is missing while
 * `indexed` still stood would tell him that its cause was never handled. Once the rows are gone, who was writing some of them is
 * waited for as well: opened before he comes to his note, the stream would say that rows are there which were removed. A run that
 * was cut off leaves streams closed, which is safe and slow; the next run ends it.
 */
export const dropSnapshots = async (ports: Ports): Promise<SnapshotsDropped> => {
  const { rows, clock, by, tell, signal } = ports;
  const began = clock.now();
  const streams = await rows.streams();
  const batches = Array.from({ length: Math.ceil(streams.length / BATCH) }, (_, n) => streams.slice(n * BATCH, (n + 1) * BATCH));
  const throttled = (tries: number): Promise<void> => clock.sleep(Math.min(50 * 2 ** tries, 5_000) * (1 + clock.random()));
  const past = await dropWaypoints(ports);
  const isThere = streams.length + past.streams.length > 0;
  let removed = past.rows;
  let left = 0;

  await each(batches, WIDTH, async (batch) => {
    signal?.throwIfAborted();
    await rows.close(batch, by, throttled);
  });
  if (isThere) await wait(ports, "for engines that still look for rows");
  await each(streams, WIDTH, async (stream) => {
    signal?.throwIfAborted();
    const gone = await rows.remove(stream, by, throttled);
    removed += gone;
  });
  tell(`${counted(removed, "row")} removed`);
  if (isThere) await wait(ports, "for engines that still write rows");
  removed += (await dropWaypoints(ports)).rows;
  await each(streams, WIDTH, async (stream) => {
    signal?.throwIfAborted();
    if (!(await rows.open(stream, by))) left += 1;
  });
  return { streams: new Set([...streams, ...past.streams]).size, rows: removed, left, seconds: (clock.now() - began) / 1_000 };
};

const wait = async ({ clock, tell, signal }: Ports, what: string): Promise<void> => {
  tell(`waiting ${PAUSE_MS / 1_000} seconds ${what}`);
  const until = clock.now() + PAUSE_MS;
  while (clock.now() < until) {
    signal?.throwIfAborted();
    await clock.sleep(250);
  }
};
