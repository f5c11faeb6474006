import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { earlier, later, MAX_CLOCK_SKEW_MS, positionAt } from "../../domain/kernel/position.ts";
import type { Clock } from "../kit/clock.ts";
import { eventsOf } from "./codec.ts";
import { END, type Log } from "./log.ts";
import { SETTLED_MS, wholePositions } from "./whole-positions.ts";

export type Ports = { readonly log: Log; readonly clock: Pick<Clock, "now"> };

/** A full page of the log: there may be more behind it at once. */
const FULL = 500;
/** `settledMs`: a commit may appear so long after its own time. `named`: commits that a place names at most, of some ten bytes each. */
export type Window = { readonly settledMs: number; readonly named: number };
/** What a header holds, which is short. */
const BRIEF: Window = { settledMs: SETTLED_MS, named: 400 };
/** For who must miss nothing: as late as clocks may differ, and an append is tried, with room for some fifty commits a second. */
export const PATIENT: Window = { settledMs: MAX_CLOCK_SKEW_MS + 60_000, named: 20_000 };
/** Of a commit's id: enough to tell the commits of some seconds apart. */
const FINGERPRINT = 8;

/** `reached`: up to where the log was given. `from`: before it all was given. `seen`: what was given from there on, and how much of it. */
type Place = { readonly reached: string; readonly from: string; readonly seen: Seen };
/** By commits: events of it that were given; `whole`: all of them. */
type Seen = Map<string, { readonly position: string; readonly given: number; readonly whole: boolean }>;

/**
 * `<position>~<from>~<commit>.<commit>:<events>`: the position up to which the log was given, and what a later commit may
 * still appear beside: which commits were given from `from` on, the last perhaps in part. A reader who shows it again goes on
 * where it was cut off, without loss or repetition.
 */
export const idOf = ({ reached, from, seen }: Place, most = BRIEF.named): string => {
  const newest = [...seen]
    .filter(([, { position }]) => position >= from)
    .sort(([, one], [, other]) => (one.position < other.position ? 1 : -1));
  const dropped = newest[most]?.[1].position;
  const begin = dropped === undefined ? from : positionAt(Number(dropped) + 1);
  const named = newest.filter(([, { position }]) => position >= begin);
  const words = named.map(([commit, { given, whole }]) => (whole ? commit : `${commit}:${given}`));
  return `${reached}~${begin}~${words.join(".")}`;
};

/** The place that an id names; `undefined` where it is none. */
export const placeOf = (id: string): { reached: string; from: string; given: ReadonlyMap<string, number> } | undefined => {
  const [, reached, from, named = ""] = /^(\d{15})~(\d{15})~([\w.:-]{0,300000})$/.exec(id) ?? [];
  if (reached === undefined || from === undefined) return undefined;
  const given = named
    .split(".")
    .filter((word) => word !== "")
    .map((word): [string, number] => {
      const [commit = "", count] = word.split(":");
      return [commit, count === undefined ? Number.POSITIVE_INFINITY : Number(count)];
    });
  return { reached, from, given: new Map(given) };
};

export type Fed = { readonly event: Recorded; readonly id: string };

/**
 * The log as it grows. It is read by position, and a commit may appear a little below what was read already: the newest
 * seconds are read again, and what was given is not given again.
 *
 * @param begin a position, from which on (included) all is given, or the place of an earlier reader
 */
export const openFeed = (
  { log, clock }: Ports,
  begin: string | NonNullable<ReturnType<typeof placeOf>>,
  { settledMs, named }: Window = BRIEF,
) => {
  const place = typeof begin === "string" ? { reached: begin, from: begin, given: new Map<string, number>() } : begin;
  let { reached, from } = place;
  /** from where the next page is read: behind `from` within one look through the window */
  let next = from;
  // where they stand is known when they are read again, which they are: none lies before `from`
  const seen: Seen = new Map(
    [...place.given].map(([name, given]) => [name, { position: END, given, whole: given === Number.POSITIVE_INFINITY }]),
  );

  /** Up to where nothing can appear any more. What is long past is settled, however quickly it is read. */
  const settledAt = (now: string): string =>
    later(from, positionAt(Math.min(Number(reached), Number(now) - settledMs + SETTLED_MS) - SETTLED_MS));

  const take = (commit: Commit, now: string): Fed[] => {
    const name = commit.id.slice(0, FINGERPRINT);
    const before = seen.get(name)?.given ?? 0;
    const events = eventsOf(commit);
    if (before >= events.length) seen.set(name, { position: commit.position, given: before, whole: true });
    return events.slice(before).map((event, n) => {
      const given = before + n + 1;
      seen.set(name, { position: commit.position, given, whole: given === events.length });
      // what a clock that was ahead has written is no reason to pass over what is written now
      reached = later(reached, earlier(commit.position, now));
      return { event, id: idOf({ reached, from: settledAt(now), seen }, named) };
    });
  };

  return {
    /** What is new, in the log's order; `more`: ask again at once. */
    next: async (): Promise<{ fed: Fed[]; more: boolean }> => {
      const commits = await wholePositions({ log }, next, END);
      const now = positionAt(clock.now());
      const fed = commits.flatMap((commit) => take(commit, now));
      const last = commits.at(-1)?.position;
      const more = commits.length >= FULL && last !== undefined && last > next;
      from = settledAt(now);
      next = more ? last : from;
      for (const [name, { position }] of seen) if (position < from) seen.delete(name);
      return { fed, more };
    },
    /** Where a reader is who was given all of it until now. */
    here: (): string => idOf({ reached, from, seen }, named),
  };
};
