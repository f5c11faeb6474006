import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";

/** `version`: undefined where somebody else brings the row what it missed. */
export type Known = { readonly stream: string; readonly version?: number };

/** An environment, and its newest deployments: one whose end may have been lost on its way, although its row has heard of it. */
export type Place = {
  readonly stream: string;
  /** as the log has it; `past`: names its version and what it was; `admitted`: sequences of deployments that may not have ended */
  state(): Promise<{ readonly past: string; readonly admitted: readonly number[] }>;
  /** by their rows, newest first */
  newest(): Promise<readonly Deployed[]>;
};
export type Deployed = { readonly stream: string; readonly version: number; readonly sequence: number; readonly hasEnded: boolean };

export type Ports = {
  /** commits of the whole log between two positions, in order */
  readLog(since: string, until: string, limit: number): Promise<readonly Commit[]>;
  /** streams that are written to, as far as rows and declarations know them, with the version that the row has read */
  known(): Promise<readonly Known[]>;
  /** environments whose newest deployments are to be looked at */
  places(): Promise<readonly Place[]>;
  /** the past of an environment at which its newest deployments were found ended and on the bus */
  settled(what: string, now: number): Promise<string | undefined>;
  noteSettled(what: string, past: string, now: number): Promise<void>;
  /** streams that begin and whose row was not seen yet; noted at (milliseconds since 1970) */
  begun(): Promise<readonly { readonly stream: string; readonly at: number }[]>;
  forgetBegun(stream: string): Promise<void>;
  /** ends what was never added, and forgets what was kept for it; what is in use stays */
  forgetUnused(stream: string): Promise<void>;
  /** the commits of a stream after a version */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  /** the last version of a stream that is known to be on the bus */
  relayed(stream: string): Promise<number>;
  /** until when (milliseconds since 1970) the whole log is; 0 where it was never looked at */
  mended(): Promise<number>;
  setMended(time: number): Promise<unknown>;
  /** puts a stream's commits on the bus up to this one */
  relay(commit: Commit): Promise<void>;
  /** the version that the stream's row has read; 0 where there is no row */
  projected(stream: string): Promise<number>;
  publish(commit: Commit): Promise<void>;
  now(): number;
};

/**
 * How far the mender looks back from where its last whole run ended: an hour is what a stuck relay may lag before an alarm
 * rings. However long nobody mended, nothing is passed over.
 */
const WINDOW_MS = 3_600_000;
/** Where it never came to an end, that much more: its first runs may have failed for hours. */
const FIRST_MS = 24 * 3_600_000;
/** Younger commits are most likely still on their way. */
const SETTLE_MS = 3_000;
/** A row that is behind for longer missed a message. */
const ROW_MS = 120_000;
const LIMIT = 5_000;

/** Where nothing was written for that long, nothing will be. */
const BEGIN_MS = 24 * 3_600_000;

/** Republishes what the relay lost, and the newest of what no row heard of: it brings its row all the rest. Answers the streams that it mended. */
export const mend = async (ports: Ports): Promise<string[]> => [
  ...(await mendRecent(ports)),
  ...(await mendKnown(ports)),
  ...(await mendNewest(ports)),
  ...(await mendBegun(ports)),
];

/** By time, as far as the clock goes. Where it went back, the next run begins there again. */
const mendRecent = async ({
  readLog,
  relayed,
  mended: mendedUntil,
  setMended,
  relay,
  projected,
  publish,
  now,
}: Ports): Promise<string[]> => {
  const until = now() - SETTLE_MS;
  const noted = await mendedUntil();
  const since = Math.max(0, (noted === 0 ? until - FIRST_MS : Math.min(noted, until)) - WINDOW_MS);
  const commits = await readLog(positionAt(since), positionAt(until), LIMIT);
  const newest = new Map<string, Commit>();
  for (const commit of commits) newest.set(commit.stream, commit);
  const mended: string[] = [];
  for (const commit of newest.values()) {
    if ((await relayed(commit.stream)) < commit.version) await relay(commit);
    else if (Number(commit.position) < until - ROW_MS && (await projected(commit.stream)) < commit.version) await publish(commit);
    else continue;
    mended.push(commit.stream);
  }
  // where there was more than fits, the next run goes on from there
  const last = commits.length < LIMIT ? undefined : commits.at(-1);
  await setMended(last === undefined ? until : Number(last.position) + WINDOW_MS);
  return mended;
};

/** By heads: what a clock that was far off has dated is where nobody looks by time. */
const mendKnown = async (ports: Ports): Promise<string[]> => {
  const mended: string[] = [];
  for (const known of await ports.known()) if (await mendOne(ports, known)) mended.push(known.stream);
  return mended;
};

/**
 * Every deployment begins with an event of its environment: where there is none since they were all found settled, nothing is looked at.
 */
const mendNewest = async (ports: Ports): Promise<string[]> => {
  const mended: string[] = [];
  for (const place of await ports.places()) {
    const what = `newest/${place.stream}`;
    // of one that cannot be folded the reconciler says so itself; what its deployments lost is mended all the same
    const state = await place.state().catch(() => undefined);
    if (state !== undefined && (await ports.settled(what, ports.now())) === state.past) continue;
    const deployments = await place.newest();
    for (const known of deployments) if (await mendOne(ports, known)) mended.push(known.stream);
    if (state !== undefined && haveRows(state.admitted, deployments) && (await areSettled(ports, deployments)))
      await ports.noteSettled(what, state.past, ports.now());
  }
  return mended;
};

/** Of one without a row, or whose row is not in the list yet, nobody knows how it goes on. */
const haveRows = (admitted: readonly number[], deployments: readonly Deployed[]): boolean => {
  const listed = new Set(deployments.map(({ sequence }) => sequence));
  const oldest = deployments.length === 0 ? 0 : Math.min(...listed);
  return admitted.every((sequence) => sequence < oldest || listed.has(sequence));
};

const areSettled = async ({ relayed, read }: Ports, deployments: readonly Deployed[]): Promise<boolean> => {
  for (const { stream, version, hasEnded } of deployments)
    if (!hasEnded || (await relayed(stream)) < version || (await read(stream, version)).length > 0) return false;
  return true;
};

/** What only its own first commit would make known, and what whoever added or removed it may have left behind. */
const mendBegun = async (ports: Ports): Promise<string[]> => {
  const mended: string[] = [];
  for (const { stream, at } of await ports.begun()) {
    const age = Math.abs(ports.now() - at);
    if (await relayRest(ports, stream)) mended.push(stream);
    else if (age <= ROW_MS) continue;
    else if ((await ports.projected(stream)) > 0) {
      // first what is left, then the note that leads to it
      await ports.forgetUnused(stream);
      await ports.forgetBegun(stream);
    } else {
      const last = (await ports.read(stream, 0)).at(-1);
      if (last !== undefined) {
        await ports.publish(last);
        mended.push(stream);
      } else if (age > BEGIN_MS) await ports.forgetUnused(stream);
    }
  }
  return mended;
};

const mendOne = async (ports: Ports, { stream, version }: Known): Promise<boolean> =>
  (await relayRest(ports, stream)) || (await tellRow(ports, stream, version));

/** Publishes the newest of what is on the bus and the row has not read: it brings the row all the rest. */
const tellRow = async ({ read, relayed, publish, now }: Ports, stream: string, version: number | undefined): Promise<boolean> => {
  if (version === undefined || version >= (await relayed(stream))) return false;
  const last = (await read(stream, version)).at(-1);
  if (last === undefined || Math.abs(now() - Date.parse(last.at)) < ROW_MS) return false;
  await publish(last);
  return true;
};

/** Relays what a stream has that is not on the bus; not what is most likely on its way. */
const relayRest = async ({ read, relayed, relay, now }: Ports, stream: string): Promise<boolean> => {
  const last = (await read(stream, await relayed(stream))).at(-1);
  if (last === undefined || Math.abs(now() - Date.parse(last.at)) < SETTLE_MS) return false;
  await relay(last);
  return true;
};
