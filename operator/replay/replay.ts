import { counted } from "../../domain/kernel/counted.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import type { Sampled } from "../../engine/log/sample-table.ts";
import { keepRow } from "../../engine/views/keep-row.ts";
import { modelOf, type ViewName } from "../../engine/views/read-models.ts";
import type { Item, ViewItems } from "../../engine/views/view-items.ts";
import type { Views as ViewsTable } from "../../engine/views/views.ts";
import { type Compared, compareRows, type Difference } from "./compare.ts";
import { folding } from "./folding.ts";
import { type Checkpoint, takeLease } from "./lease.ts";
import { type Extent, nothingDone, type Ports as ReadPorts, readLog, type Source } from "./read-log.ts";
import { removeOld } from "./remove-old.ts";
import { rowsWriter } from "./rows-writer.ts";

export type Ports = ReadPorts & {
  readonly views: Pick<ViewsTable, "generations" | "changeGenerations" | "rebuild" | "setRebuild" | "rows">;
  readonly items: ViewItems;
  /** checks some streams of the event table */
  sample(): Promise<Sampled>;
  readonly clock: Clock;
  /** one name for this run */
  readonly by: string;
  /** one line of progress */
  tell(line: string): void;
  /** it stops soon after this is aborted, and can be resumed */
  readonly signal?: AbortSignal | undefined;
};

export type Wanted = { readonly views: readonly ViewName[]; readonly from: Source };

/** A rebuild, or the end of one that was cut off after its switch: then nothing was read. */
export type Rebuilt = Extent & {
  readonly views: readonly ViewName[];
  readonly generation: number;
  /** true where an earlier run had begun it */
  readonly resumed: boolean;
  readonly events: number;
  readonly rows: number;
  /** of reading, folding, writing and comparing */
  readonly seconds: number;
  readonly removed: number;
  /** of the event table as it was when this began: sealed rows are built from segments, so a change in the table stops nothing */
  readonly sampled: Sampled;
};

/** An earlier rebuild of other views was cut off. */
export class RebuildInterrupted extends Error {
  override readonly name = "RebuildInterrupted";
}

/** The new generation is not the fold of the log: it was given up, and readers still have the one before. */
export class RebuildMismatch extends Error {
  override readonly name = "RebuildMismatch";
  readonly differences: readonly Difference[];
  constructor(differences: readonly Difference[]) {
    super(`${differences.length} rows of the new generation are not what the log says`);
    this.differences = differences;
  }
}

const WRITES = 16;
const NOTE_EVERY_MS = 1_000;
/** Who asked which generation is live just before the switch may still read the one before. */
const GRACE_MS = 2_000;

/**
 * Rebuilds read models from the log beside the live ones, compares every row with the fold of its stream, and switches.
 * Live events go on arriving: the projection keeps both generations meanwhile. Nothing but the log, the archive and the
 * table of views is asked or told; a rebuild sends nothing.
 *
 * @throws SealBroken, RebuildMismatch, RebuildRunning, RebuildInterrupted
 */
export const replay = async (ports: Ports, { views, from }: Wanted, { restart = false } = {}): Promise<Rebuilt> => {
  const { clock, tell, items } = ports;
  const began = clock.now();
  const sampled = await ports.sample();
  const lease = await takeLease(ports);
  const left = restart ? undefined : lease.state();
  if (left !== undefined && [...left.views].sort().join() !== [...views].sort().join())
    throw new RebuildInterrupted(`a rebuild of ${left.views.join(", ")} that began at ${left.startedAt} was not finished`);
  const before = await ports.views.generations();
  const generation = left?.generation ?? Math.max(before.last, lease.state()?.generation ?? 0) + 1;
  const startedAt = left?.startedAt ?? new Date(began).toISOString();
  const note = (checkpoint: Checkpoint | null): Promise<void> => lease.note({ generation, views: [...views], startedAt, checkpoint });

  try {
    const switched = views.every((view) => before.live[view] === generation);
    const built = switched ? undefined : await build(left?.checkpoint ?? nothingDone());
    const seconds = (clock.now() - began) / 1_000;
    await note(null);
    tell("removing the rows of generations that nobody reads any more");
    await clock.sleep(GRACE_MS);
    const removed = await removeOld(items, views, generation, { pulse, throttled });
    await lease.end();
    return {
      views,
      generation,
      resumed: left !== undefined,
      ...(built ?? { segments: 0, fromSegments: 0, fromTable: 0, events: 0, rows: 0 }),
      seconds,
      removed,
      sampled,
    };
  } catch (error) {
    if (error instanceof RebuildMismatch) {
      await ports.views.changeGenerations((now) => (now.building?.generation === generation ? { ...now, building: null } : undefined));
      await lease.end();
    } else await lease.leave().catch(() => undefined);
    throw error;
  }

  async function build(done: Checkpoint): Promise<Extent & { events: number; rows: number }> {
    await note(done);
    await ports.views.changeGenerations((now) => ({
      ...now,
      last: Math.max(now.last, generation),
      building: { generation, views: [...views] },
    }));
    if (left !== undefined) tell(`going on with the rebuild that began at ${startedAt}`);
    const built: Readonly<Record<string, number>> = Object.fromEntries(views.map((view) => [view, generation]));
    const writer = rowsWriter((batch: readonly Item[]) => items.write(batch, throttled), WRITES);
    const fold = folding({ read: ports.read, itemOf: items.itemOf, put: writer.put }, views, built);

    let noted = clock.now();
    const pause = async (at: Checkpoint): Promise<void> => {
      ports.signal?.throwIfAborted();
      if (clock.now() - noted < NOTE_EVERY_MS) return;
      noted = Number.POSITIVE_INFINITY; // one at a time
      await fold.flush();
      await writer.drain();
      await note(at);
      noted = clock.now();
      tell(saysFolded(fold.counts()));
    };
    const extent = await readLog(ports, from, { prefixes: prefixesOf(views), done, add: fold.add, pause });
    await fold.flush();
    await writer.drain();
    tell(`${saysFolded(fold.counts())}: comparing them`);

    const bringUp = (name: ViewName, stream: string): Promise<void> =>
      keepRow(ports.read, name, ports.views.rows(generation)[name], stream, Number.POSITIVE_INFINITY);
    const other = Object.fromEntries(views.map((view) => [view, before.live[view]]));
    const { rows, differences } = await compareRows({ ...ports, bringUp, wait: pulse, pulse }, fold.folds, built, other);
    if (differences.length > 0) throw new RebuildMismatch(differences);
    await lease.keep();
    await ports.views.changeGenerations((now) => ({
      ...now,
      live: { ...now.live, ...built },
      building: null,
    }));
    tell(`readers have generation ${generation} now`);
    return { ...extent, events: fold.counts().events, rows };
  }

  async function pulse(): Promise<void> {
    ports.signal?.throwIfAborted();
    await lease.keep();
  }
  async function throttled(tries: number): Promise<void> {
    await clock.sleep(Math.min(50 * 2 ** tries, 5_000) * (1 + clock.random()));
    await lease.keep();
  }
};

/** Compares the live rows with the fold of the log, and changes nothing. */
export const verifyViews = async (
  ports: Ports,
  { views, from }: Wanted,
): Promise<Compared & Extent & { events: number; seconds: number }> => {
  const { clock, tell, items } = ports;
  const began = clock.now();
  const { live } = await ports.views.generations();
  const fold = folding({ read: ports.read, itemOf: items.itemOf, put: undefined }, views, live);
  const pause = async (): Promise<void> => ports.signal?.throwIfAborted();
  const extent = await readLog(ports, from, { prefixes: prefixesOf(views), done: nothingDone(), add: fold.add, pause });
  await fold.flush();
  const { events } = fold.counts();
  tell(`${saysFolded({ events, rows: fold.counts().rows })}: comparing them`);
  // who projects them may be a moment behind
  const bringUp = async (): Promise<void> => undefined;
  const wait = (): Promise<void> => clock.sleep(500);
  const ours = Object.fromEntries(views.map((view) => [view, live[view]]));
  const compared = await compareRows({ ...ports, bringUp, wait, pulse: pause }, fold.folds, ours, {});
  return { ...compared, ...extent, events, seconds: (clock.now() - began) / 1_000 };
};

/** What the names of their streams begin with. */
const prefixesOf = (views: readonly ViewName[]): string[] => [...new Set(views.map((view) => `${modelOf(view).category}/`))];

const saysFolded = ({ events, rows }: { events: number; rows: number }): string =>
  `${counted(events, "event")} folded into ${counted(rows, "row")}`;
