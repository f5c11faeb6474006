import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";

/** `version`: undefined where somebody else brings the row what it missed. */
export type Known = { readonly stream: string; readonly version?: number };

export type Ports = {
  /** commits of the whole log between two positions, in order */
  readLog(since: string, until: string, limit: number): Promise<readonly Commit[]>;
  /** streams that are written to, as far as rows and declarations know them, with the version that the row has read */
  known(): Promise<readonly Known[]>;
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
  for (const { stream, version } of await ports.known())
    if ((await relayRest(ports, stream)) || (await tellRow(ports, stream, version))) mended.push(stream);
  return mended;
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
