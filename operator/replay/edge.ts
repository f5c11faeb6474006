import { MAX_CHANGES } from "../../blueprint/edge-table.ts";
import { readKnown } from "../../domain/aggregates.ts";
import { environment as decider } from "../../domain/environment/decider.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { Recorded as RecordedEvent } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { EdgeTable } from "../../engine/aws/edge-table.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import type { Store } from "../../engine/edge/live-row.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { each } from "../../engine/kit/each.ts";
import { FilesMissing } from "../../engine/open-next/public-set.ts";
import { compareEdge, type Files, isOver, knownKeys, type Recorded, type Wrong } from "./edge-rows.ts";

export type Ports = {
  readonly edgeTable: EdgeTable;
  readonly clock: Clock;
  /** every event of a stream, strongly consistent; throws `ChainBroken` */
  events(stream: string): Promise<readonly RecordedEvent[]>;
  /** the rows of the public files that a release's manifest names; throws `FilesMissing` */
  fileRows(manifest: string): Promise<readonly string[]>;
  /** it stops soon after this is aborted */
  readonly signal?: AbortSignal | undefined;
};

/** A declared environment, and the table that its edge looks up. */
export type Place = Store & { readonly site: string; readonly environment: string };

/** A row that is not what the log says. `place`: `<site>/<environment>` */
export type Difference = { readonly place: string; readonly key: string; readonly what: string };
export type EdgeReplayed = {
  readonly environments: number;
  /** that the log speaks of and are as it says */
  readonly rows: number;
  /** keys that were written or deleted; none where they were only compared */
  readonly written: readonly string[];
  readonly deleted: readonly string[];
  /** what is not as the log says; after a replay: what it may not put right */
  readonly differences: readonly Difference[];
  /** keys of no declared environment: nobody touches them */
  readonly strangers: readonly string[];
  /** tables whose keys may not be listed: there nothing was looked for but what the log speaks of */
  readonly unlisted: readonly string[];
  readonly seconds: number;
};

const TRIES = 30;
const WIDTH = 8;

/** A table at one version; the log is read after it. `seen`: the keys that were looked for. */
type Snapshot = { readonly table: string; version: string; readonly rows: Map<string, string>; readonly seen: Set<string> | "all" };
/** A table with the environments whose edges look it up, and what was changed of it so far. */
type Here = { readonly table: string; readonly places: readonly Place[]; readonly written: Set<string>; readonly deleted: Set<string> };
type Compared = { readonly right: number; readonly wrong: readonly Wrong[] };
type Outcome = { readonly snapshot: Snapshot; readonly compared: ReadonlyMap<Place, Compared> };

/**
 * Makes the rows of these environments' edges what the log says. Every request is fenced by the version of the table at which it
 * was read, and the log is read after it: whatever a flip writes meanwhile is another version, and everything is looked at anew.
 *
 * @param places every environment that is declared
 */
export const replayEdge = (ports: Ports, places: readonly Place[]): Promise<EdgeReplayed> =>
  eachTable(ports, places, async (here) => {
    for (let tries = 1; ; tries++) {
      const snapshot = await takeSnapshot(ports, here.table);
      const compared = await mend(ports, here, snapshot);
      if (compared !== undefined) return { snapshot, compared };
      if (tries === TRIES) throw new Error(`others changed the table ${here.table} each of the ${TRIES} times that it was to be written`);
      await pause(ports, tries);
    }
  });

/** Compares the rows with the log, and changes nothing. What differs at first sight is looked at again where the table was changed meanwhile. */
export const verifyEdge = (ports: Ports, places: readonly Place[]): Promise<EdgeReplayed> =>
  eachTable(ports, places, async (here) => {
    for (let tries = 1; ; tries++) {
      const snapshot = await takeSnapshot(ports, here.table);
      const compared = new Map<Place, Compared>();
      for (const place of here.places) compared.set(place, await compare(ports, place, snapshot));
      const isRight = [...compared.values()].every(({ wrong }) => wrong.length === 0);
      if (isRight || tries === TRIES || (await ports.edgeTable.version(here.table)) === snapshot.version) return { snapshot, compared };
      await pause(ports, tries);
    }
  });

const eachTable = async (ports: Ports, places: readonly Place[], work: (here: Here) => Promise<Outcome>): Promise<EdgeReplayed> => {
  const began = ports.clock.now();
  const parts: Omit<EdgeReplayed, "environments" | "seconds">[] = [];
  for (const table of new Set(places.map((place) => place.table))) {
    const here: Here = { table, places: places.filter((place) => place.table === table), written: new Set(), deleted: new Set() };
    parts.push(sumUp(here, await work(here)));
  }
  return {
    environments: places.length,
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    written: parts.flatMap(({ written }) => written),
    deleted: parts.flatMap(({ deleted }) => deleted),
    differences: parts.flatMap(({ differences }) => differences),
    strangers: parts.flatMap(({ strangers }) => strangers),
    unlisted: parts.flatMap(({ unlisted }) => unlisted),
    seconds: (ports.clock.now() - began) / 1_000,
  };
};

const sumUp = (
  { table, places, written, deleted }: Here,
  { snapshot, compared }: Outcome,
): Omit<EdgeReplayed, "environments" | "seconds"> => ({
  rows: [...compared.values()].reduce((sum, { right }) => sum + right, 0),
  written: [...written],
  deleted: [...deleted],
  differences: [...compared].flatMap(([{ site, environment }, { wrong }]) =>
    wrong.map(({ key, what }) => ({ place: `${site}/${environment}`, key, what })),
  ),
  strangers: snapshot.seen === "all" ? [...snapshot.rows.keys()].filter((key) => !isOf(places, key)).sort() : [],
  unlisted: snapshot.seen === "all" ? [] : [table],
});

const isOf = (places: readonly Place[], key: string): boolean => {
  const [kind = "", distribution] = key.split(":");
  return ["live", "release", "files"].includes(kind) && places.some((place) => place.distribution === distribution);
};

const takeSnapshot = async ({ edgeTable }: Ports, table: string): Promise<Snapshot> => {
  const version = await edgeTable.version(table);
  const rows = await edgeTable.list(table);
  return rows === undefined ? { table, version, rows: new Map(), seen: new Set() } : { table, version, rows, seen: "all" };
};

/** `undefined` where somebody else changed the table since the snapshot. */
const mend = async (ports: Ports, here: Here, snapshot: Snapshot): Promise<ReadonlyMap<Place, Compared> | undefined> => {
  const all = new Map<Place, Compared>();
  for (const place of here.places)
    for (;;) {
      const compared = await compare(ports, place, snapshot);
      all.set(place, compared);
      const batch = compared.wrong.filter(({ should }) => should !== undefined).slice(0, MAX_CHANGES);
      if (batch.length === 0) break;
      if (!(await write(ports, here, snapshot, batch))) return undefined;
    }
  return all;
};

/** The snapshot is then of the version that this made; false where somebody else was first. */
const write = async (
  { edgeTable }: Ports,
  { table, written, deleted }: Here,
  snapshot: Snapshot,
  batch: readonly Wrong[],
): Promise<boolean> => {
  const puts = new Map(batch.flatMap(({ key, should }) => (typeof should === "string" ? [[key, should] as const] : [])));
  const deletes = batch.flatMap(({ key, should }) => (should === null ? [key] : []));
  try {
    snapshot.version = await edgeTable.update(table, snapshot.version, { puts: Object.fromEntries(puts), deletes });
  } catch (error) {
    const problem = problemOf(error);
    if (problem === "changed" || (problem === "missing" && deletes.length > 0)) return false;
    throw error;
  }
  for (const [key, text] of puts) {
    snapshot.rows.set(key, text);
    written.add(key);
  }
  for (const key of deletes) {
    snapshot.rows.delete(key);
    deleted.add(key);
  }
  return true;
};

/** Compares one environment's rows. Where keys are not listed, those that the log speaks of are looked for until it speaks of no other. */
const compare = async (ports: Ports, { site, environment, distribution }: Place, { rows, seen, table }: Snapshot): Promise<Compared> => {
  for (;;) {
    ports.signal?.throwIfAborted();
    const recorded = await read(ports, environmentStream(site, environment));
    const now = ports.clock.now();
    const files = await filesOf(ports, recorded, now);
    const unseen = seen === "all" ? [] : knownKeys(distribution, recorded, files).filter((key) => !seen.has(key));
    if (unseen.length === 0) return compareEdge(distribution, recorded, files, rows, now);
    await each(unseen, WIDTH, async (key) => {
      const text = await ports.edgeTable.get(table, key);
      if (text !== undefined) rows.set(key, text);
      if (seen !== "all") seen.add(key);
    });
  }
};

/** `manifests`: of releases that were to go live, by deployment. The state remembers the last of them alone. */
type Past = Recorded & { readonly state: Environment; readonly manifests: ReadonlyMap<string, string> };

const read = async ({ events }: Ports, stream: string): Promise<Past> => {
  const history = readKnown("environment", await events(stream));
  const ends = history.flatMap(({ type, body }) => (type === "EdgeSwitched" ? body.ended : []));
  const flips = history.flatMap(({ type, body }) => (type === "FlipRequested" ? [body] : []));
  return {
    state: fold(decider, history),
    ends: new Map(ends.map(({ release, until }) => [release, until])),
    manifests: new Map(flips.map(({ deploymentId, release }) => [deploymentId, release.manifest])),
  };
};

/** Of the releases that are reached: rows of others do no harm, and a release that is being published writes its own before the log has it. */
const filesOf = async ({ fileRows }: Ports, { state: { routes }, manifests }: Past, now: number): Promise<Files> => {
  const files = new Map<string, readonly string[] | string>();
  for (const routed of routes.values()) {
    const { set, rows } = routed.route.files;
    if (rows === 0 || isOver(routed, now) || files.has(set)) continue;
    const manifest = manifests.get(routed.deploymentId);
    files.set(
      set,
      manifest === undefined ? `the log has no manifest of ${routed.deploymentId}` : await fileRows(manifest).catch(unlessMissing),
    );
  }
  return files;
};

const unlessMissing = (error: unknown): string => {
  if (error instanceof FilesMissing) return error.message;
  throw error;
};

const pause = ({ clock }: Ports, tries: number): Promise<void> => clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
