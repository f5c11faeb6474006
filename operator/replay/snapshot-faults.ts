import { deciders, readEvent } from "../../domain/aggregates.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { type Decider, fold } from "../../domain/kernel/decider.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { type Category, categoryOf } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import type { StreamRows } from "../../engine/log/snapshot-rows.ts";
import { type Indexed, snapshotOf } from "../../engine/log/snapshots.ts";
import { textOfState } from "../../engine/log/state-text.ts";
import { canonical } from "./compare.ts";

/** Of each kind of fault, so many are named. */
const MAX_NAMED = 3;

/** What is wrong with a stream's rows, a sentence each. @param commits all of the stream, read after its rows */
export const snapshotFaults = (stream: string, rows: StreamRows, commits: readonly Commit[]): string[] => {
  if (commits.length === 0) return ["the log has no such stream"];
  return [
    ...(rows.closed ? ["a drop of its rows is under way or was cut off: its causes are not indexed until one ends"] : []),
    ...causeFaults(rows, commits),
    ...stateFaults(stream, rows, commits),
    ...rows.strange.map((key) => `it has the row "${key}", which no engine writes`),
  ];
};

/** How many of a stream's states are of another shape than today's: other releases take them. */
export const foreignStates = (stream: string, { states }: StreamRows, commits: readonly Commit[]): number =>
  commits.length === 0 ? 0 : [...states.keys()].filter((shape) => shape !== String(deciders[categoryOf(stream)].shape)).length;

const causeFaults = ({ indexed, handled }: StreamRows, commits: readonly Commit[]): string[] => {
  const versions = new Map(commits.map(({ id, version }) => [id, version]));
  const missing = commits.filter(({ id, version }) => version <= indexed.version && !handled.has(id)).map(({ version }) => version);
  const wrong = [...handled].flatMap(([id, says]) =>
    versions.get(id) === says && says !== undefined ? [] : [wrongRow(id, says, versions.get(id))],
  );
  return [
    ...indexFault(indexed, commits),
    ...(missing.length === 0 ? [] : [`no row says that these versions' causes were handled: ${some(missing, ", ")}`]),
    ...(wrong.length === 0 ? [] : [some(wrong, "; ")]),
  ];
};

/** An index of another past: engines do not take it, and read the stream whole until they have written it anew. */
const indexFault = ({ version, hash }: Indexed, commits: readonly Commit[]): string[] => {
  if (version > commits.length) return [`its causes are indexed up to version ${version}, and the log has ${commits.length} versions`];
  return version === 0 || commits[version - 1]?.hash === hash
    ? []
    : [`its causes are indexed up to a commit that version ${version} is not in the log`];
};

const wrongRow = (id: string, says: number | undefined, is: number | undefined): string =>
  is === undefined ? `a row names the commit ${id}, which the log does not have` : `the row of version ${is} says ${says ?? "no version"}`;

const stateFaults = (stream: string, { states }: StreamRows, commits: readonly Commit[]): string[] => {
  const category = categoryOf(stream);
  const { shape } = deciders[category];
  const item = states.get(String(shape));
  if (item === undefined) return [];
  const snapshot = snapshotOf(stream, shape, item);
  if (snapshot === undefined) return ["its state is not as it was written"];
  const { version, hash, state } = snapshot;
  if (version > commits.length) return [`its state is of version ${version}, and the log has ${commits.length} versions`];
  if (commits[version - 1]?.hash !== hash) return [`its state is not of the commit that version ${version} is in the log`];
  return isSame(state, stateAt(category, commits.slice(0, version))) ? [] : [`its state is not what the log says at version ${version}`];
};

const stateAt = (category: Category, commits: readonly Commit[]): string => {
  const decider = deciders[category] as unknown as Decider<never, unknown, AnyEvent>;
  return textOfState(
    fold(
      decider,
      commits.flatMap(eventsOf).map((event) => readEvent(category, event)),
    ),
  );
};

/** In the order of its fields a state that was gone on with may differ from one that was folded whole. */
const isSame = (one: string, other: string): boolean => one === other || canonical(JSON.parse(one)) === canonical(JSON.parse(other));

const some = (named: readonly (string | number)[], between: string): string =>
  named.slice(0, MAX_NAMED).join(between) + (named.length > MAX_NAMED ? ` and ${named.length - MAX_NAMED} more` : "");
