import { filesKey, liveKey, type ReleaseRow, releaseKey } from "../../blueprint/edge-table.ts";
import type { Environment, Routed } from "../../domain/environment/state.ts";
import { readReleaseRow } from "../../engine/edge/live-row.ts";
import { differenceOf } from "./row-difference.ts";

/** What the log says of one environment's edge. */
export type Recorded = {
  readonly state: Pick<Environment, "edge" | "routes" | "flipped" | "open" | "live">;
  /** until when each release was to be reached that a flip left, also those of which the log has no route */
  readonly ends: ReadonlyMap<string, string>;
};

/** The rows of each set of public files that the table must have; a text says why they cannot be made again. */
export type Files = ReadonlyMap<string, readonly string[] | string>;

/** One key of the table that is not as the log says. `should`: what it should be; null: not there; undefined: that is not for a replay to say. */
export type Wrong = { readonly key: string; readonly what: string; readonly should: string | null | undefined };

/** Keys that the log speaks of: those that the table must have, and those of releases that have ended. */
export const knownKeys = (distribution: string, { state }: Recorded, files: Files): string[] => [
  liveKey(distribution),
  ...[...state.routes.keys()].map((release) => releaseKey(distribution, release)),
  ...filesOf(distribution, files).map(([key]) => key),
];

/**
 * Compares an environment's rows with the log, which was read after them.
 *
 * @param rows at least those of `knownKeys`; whatever else is there of this distribution is looked at too
 * @param now milliseconds since 1970
 * @returns how many rows are as they should be, and the others in the order in which they may be written: what a row names is
 *   there before it, and of a set of public files the first row comes last
 */
export const compareEdge = (
  distribution: string,
  recorded: Recorded,
  files: Files,
  rows: ReadonlyMap<string, string>,
  now: number,
): { readonly right: number; readonly wrong: readonly Wrong[] } => {
  const { state } = recorded;
  if (state.edge?.distribution !== distribution) return { right: 0, wrong: unwritten(distribution, recorded, rows) };
  const known = new Set(knownKeys(distribution, recorded, files));
  const own = releaseKey(distribution, "");
  const foreign = [...rows.keys()].filter((key) => key.startsWith(own) && !known.has(key));
  const judged: (Wrong | "right" | "absent")[] = [
    ...filesOf(distribution, files).map(([key, should]) => judge(key, should, rows.get(key))),
    ...unmade(distribution, files),
    ...[...state.routes.values()].map((routed) => judgeRelease(distribution, recorded, routed, rows, now)),
    judgeLive(distribution, recorded, rows),
    ...foreign.map((key) => judgeForeign(key, key.slice(own.length), recorded, rows.get(key))),
  ];
  return {
    right: judged.filter((one) => one === "right").length,
    wrong: judged.filter((one) => typeof one === "object"),
  };
};

/** Nothing is written or deleted on the word of a log without a flip to this distribution: it may be another stage's. */
const unwritten = (distribution: string, { state }: Recorded, rows: ReadonlyMap<string, string>): Wrong[] => {
  const key = liveKey(distribution);
  const isExpected = state.open.size > 0 || (state.live === null && !rows.has(key));
  const what =
    "the log has no flip that wrote rows of this distribution: if it is the log of the engine that was asked, that engine writes them within some minutes";
  return isExpected ? [] : [{ key, what, should: undefined }];
};

/** Whoever names it is sent to what is live, with its row or without. @param now milliseconds since 1970 */
export const isOver = ({ until, ended }: Routed, now: number): boolean => ended !== null || (until !== null && Date.parse(until) <= now);

/** The last row of each set first. */
const filesOf = (distribution: string, files: Files): [key: string, should: string][] =>
  [...files].flatMap(([set, rows]) =>
    typeof rows === "string" ? [] : rows.map((text, row): [string, string] => [filesKey(distribution, set, row), text]).reverse(),
  );

const unmade = (distribution: string, files: Files): Wrong[] =>
  [...files].flatMap(([set, why]) =>
    typeof why === "string"
      ? [{ key: filesKey(distribution, set, 0), what: `nobody can say what it should be: ${why}`, should: undefined }]
      : [],
  );

const judge = (key: string, should: string, text: string | undefined): Wrong | "right" =>
  text === should ? "right" : { key, what: text === undefined ? "there is no row" : differenceOf(text, should), should };

const judgeLive = (distribution: string, { state }: Recorded, rows: ReadonlyMap<string, string>): Wrong | "right" => {
  const key = liveKey(distribution);
  const text = rows.get(key);
  return ofNewerFlip(key, text, state) ?? unlessFlipping(judge(key, JSON.stringify(state.edge?.route), text), state);
};

/** Of what is live a flip may have written more than the log has yet, and somebody taken that away: it is for the flip to write. */
const unlessFlipping = (judged: Wrong | "right", { open }: Recorded["state"]): Wrong | "right" => {
  const [sequence] = open.keys();
  if (judged === "right" || sequence === undefined) return judged;
  return {
    ...judged,
    what: `${judged.what}; flip ${sequence} is under way and writes it: look again once it has ended`,
    should: undefined,
  };
};

const judgeRelease = (
  distribution: string,
  { state }: Recorded,
  routed: Routed,
  rows: ReadonlyMap<string, string>,
  now: number,
): Wrong | "right" | "absent" => {
  const { route, until, ended } = routed;
  const key = releaseKey(distribution, route.release);
  const text = rows.get(key);
  const should = until === null ? JSON.stringify(route) : ending(routed, secondsOf(until));
  if (text === undefined && isOver(routed, now)) return "absent";
  if (text === should) return "right";
  const newer = ofNewerFlip(key, text, state);
  if (newer !== undefined) return newer;
  const row = readReleaseRow(text);
  if (row !== undefined && isAsLeft(routed, row, state.flipped)) return "right";
  if (until === null && ended === null) return unlessFlipping(judge(key, should, text), state);
  if (ended === null) return judge(key, should, text);
  // not taken away at once: for how long edges may have the row as it was is counted from its end
  const end = Math.floor(now / 1_000);
  return judge(key, ending(routed, until === null ? end : Math.min(secondsOf(until), end)), text);
};

/**
 * A flip that died after it wrote a row leaves its higher sequence there; the next one gives that row its end. Of what was cut off the
 * end is sooner than the flip said.
 */
const isAsLeft = ({ route, until, ended }: Routed, row: ReleaseRow, flipped: number): boolean => {
  const { until: rowEnd, ...found } = row;
  const end = until === null ? undefined : secondsOf(until);
  const isEnd = ended === null ? rowEnd === end : rowEnd !== undefined && (end === undefined || rowEnd <= end);
  const isFlips = found.sequence >= route.sequence && found.sequence <= flipped;
  return isEnd && isFlips && JSON.stringify({ ...found, sequence: route.sequence }) === JSON.stringify(route);
};

const judgeForeign = (key: string, release: string, { state, ends }: Recorded, text: string | undefined): Wrong | "right" => {
  const end = ends.get(release);
  const isLeft = end !== undefined && readReleaseRow(text)?.until === secondsOf(end);
  return isLeft ? "right" : (ofNewerFlip(key, text, state) ?? { key, what: "the log has no such row", should: null });
};

/** What a flip wrote after the last that the log has is its own: it is under way, or was given up and is put right by the engine. */
const ofNewerFlip = (key: string, text: string | undefined, { edge, flipped, open }: Recorded["state"]): Wrong | "right" | undefined => {
  const sequence = readReleaseRow(text)?.sequence ?? 0;
  if (sequence <= (edge?.sequence ?? 0) || sequence > flipped) return undefined;
  if (open.has(sequence)) return "right";
  return { key, what: `flip ${sequence} wrote it and was given up: the engine itself brings live again what should be`, should: undefined };
};

const ending = ({ route }: Routed, until: number): string => JSON.stringify({ ...route, until } satisfies ReleaseRow);
/** As a flip writes it. */
const secondsOf = (time: string): number => Math.ceil(Date.parse(time) / 1_000);
