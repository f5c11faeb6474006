import { type Commit, commitId } from "../../domain/kernel/chain.ts";
import type { Decider } from "../../domain/kernel/decider.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { sha256 } from "./digest.ts";
import type { EventStore } from "./event-store.ts";
import type { Ground } from "./execute.ts";
import type { Memory } from "./memory.ts";
import { NEWEST } from "./read-back.ts";
import { type Handled, type Indexed, NOTHING_INDEXED, type Snapshots } from "./snapshots.ts";
import { stateOfText, textOfState } from "./state-text.ts";

/** A stream as it was folded. Its state is everybody's: who goes on with it copies it first. */
export type Folded<S> = {
  readonly state: S;
  /** 0 where nothing was ever written */
  readonly version: number;
  readonly last: Commit | undefined;
  /** up to which version the snapshots have every cause */
  readonly indexed: number;
  /** what was handled after that: version by commit id */
  readonly recent: ReadonlyMap<string, number>;
};

export type Store = Pick<EventStore, "read" | "readBack" | "readFrom">;
export type FoldedStreams<S> = ReturnType<typeof foldedStreams<S, AnyEvent>>;

/** Rows of causes that one command writes: what has a long past without any is indexed bit by bit. */
const MAX_INDEXED = 500;
type Looked = Awaited<ReturnType<Snapshots["handled"]>>;

/**
 * Streams and what they fold to, at the cost of what is new: a process goes on from what it folded last, or else from a snapshot.
 * Both are checked against the log: one that is older than the stream is read on from, one of another past is not taken, and then
 * the stream is folded whole.
 */
export const foldedStreams = <S, E extends AnyEvent>(
  { read, readBack, readFrom }: Store,
  { snapshots, every }: Pick<Ground, "snapshots" | "every">,
  memory: Memory<Folded<S>>,
  decider: Pick<Decider<never, S, E>, "initial" | "evolve" | "shape">,
  readEvent: (stored: AnyEvent) => E,
) => {
  /** Where no more than these are there, they are read by one query, and no snapshot is looked for. */
  const page = 2 * every;
  const nothing: Folded<S> = { state: decider.initial(), version: 0, last: undefined, indexed: 0, recent: new Map() };

  const goOn = (from: Folded<S>, commits: readonly Commit[]): Folded<S> => foldOn(decider, readEvent, from, commits);

  const keep = (stream: string, folded: Folded<S>): Folded<S> => {
    // who never writes never indexes either: it begins anew from the snapshots of others
    if (folded.recent.size > MAX_INDEXED) memory.forget(stream);
    else memory.set(stream, folded);
    return folded;
  };

  /** From what this process folded last; `undefined` where the log has another past by now. */
  const fromMemory = async (known: Folded<S> | undefined): Promise<Folded<S> | undefined> => {
    const found = known?.last && (await readFrom(known.last));
    if (known === undefined || found === undefined) return undefined;
    return goOn(known, found.slice(1));
  };

  const fromLog = async (stream: string): Promise<Folded<S>> => {
    const newest = (await readBack(stream, NEWEST, page)).toReversed();
    if ((newest[0]?.version ?? 1) === 1) return goOn(nothing, newest);
    return (await fromSnapshot(stream)) ?? (await whole(stream, await snapshots.indexed(stream)));
  };
  /** @param noted what the snapshots were said to have before: a cause that is not looked for among them is found in what is folded */
  const whole = async (stream: string, { version, hash }: Indexed): Promise<Folded<S>> => {
    const commits = await read(stream, 0);
    return goOn({ ...nothing, indexed: commits[version - 1]?.hash === hash ? version : 0 }, commits);
  };

  const fromSnapshot = async (stream: string): Promise<Folded<S> | undefined> => {
    const snapshot = await snapshots.newest(stream, decider.shape);
    const found = snapshot && (await readFrom({ stream, version: snapshot.version, hash: snapshot.hash }));
    if (snapshot === undefined || found === undefined) return undefined;
    const [last, ...after] = found;
    const { version } = snapshot;
    const folded = { state: stateOfText(snapshot.state) as S, version, last, indexed: version, recent: new Map() };
    return goOn(folded, after);
  };

  /** Writes a snapshot of it, once there is enough that nobody has written down. */
  const save = async (stream: string, folded: Folded<S>): Promise<void> => {
    const { version, last, recent, state } = folded;
    if (recent.size < every || last === undefined) return;
    const noted = await snapshots.indexed(stream);
    const byOthers = await indexedBy(read, stream, noted);
    // somebody has dropped rows that this process knows of
    if (byOthers < folded.indexed) return memory.forget(stream);
    const causes: Handled[] = [...recent].filter(([, at]) => at > byOthers);
    if (causes.length < every) return void keep(stream, { ...folded, indexed: byOthers, recent: new Map(causes) });
    const [now, rest] = [causes.slice(0, MAX_INDEXED), causes.slice(MAX_INDEXED)];
    const indexed = now.at(-1)?.[1] ?? 0;
    const upTo = { version: indexed, hash: await hashAt(read, last, indexed) };
    if (!(await snapshots.index(stream, now, noted, upTo))) return memory.forget(stream);
    if (rest.length === 0) await snapshots.write(stream, decider.shape, { version, hash: last.hash, state: textOfState(state) });
    keep(stream, { ...folded, indexed, recent: new Map(rest) });
  };

  /** The stream as it is now. */
  const load = async (stream: string): Promise<Folded<S>> =>
    keep(stream, (await fromMemory(memory.get(stream))) ?? (await fromLog(stream)));

  return {
    load,
    /** The stream as it is now, and the commit by which this cause was handled, if it was. */
    loadFor: async (stream: string, cause: string): Promise<{ folded: Folded<S>; handled: Commit | undefined }> => {
      const id = commitId(sha256, stream, cause);
      const look = async (indexed = 0): Promise<Looked> =>
        indexed === 0 ? { version: undefined, indexed: NOTHING_INDEXED } : snapshots.handled(stream, id);
      const known = memory.get(stream)?.indexed;
      const [found, early] = await Promise.all([load(stream), look(known)]);
      const isRecent = found.recent.has(id);
      const looked = !isRecent && found.indexed !== known ? await look(found.indexed) : early;
      // where the rows were dropped meanwhile, the log itself has every cause that was not looked for among them
      const isDropped = !isRecent && looked.indexed.version < found.indexed;
      const folded = isDropped ? keep(stream, await whole(stream, looked.indexed)) : found;
      const version = folded.recent.get(id) ?? looked.version;
      if (version === undefined) return { folded, handled: undefined };
      const [commit] = await read(stream, version - 1, 1);
      return { folded, handled: commit?.id === id ? commit : undefined };
    },
    /** What was just written behind it. A snapshot that could not be written is the next one's to write. */
    appended: (stream: string, before: Folded<S>, commit: Commit): Folded<S> => keep(stream, goOn(before, [commit])),
    save,
  };
};

/** @param commits the stream's next after `from` */
const foldOn = <S, E extends AnyEvent>(
  { evolve }: Pick<Decider<never, S, E>, "evolve">,
  readEvent: (stored: AnyEvent) => E,
  from: Folded<S>,
  commits: readonly Commit[],
): Folded<S> => {
  const last = commits.at(-1);
  if (last === undefined) return from;
  let state = structuredClone(from.state);
  const recent = new Map(from.recent);
  for (const commit of commits) {
    for (const event of JSON.parse(commit.body) as AnyEvent[]) state = evolve(state, readEvent(event));
    if (commit.version > from.indexed) recent.set(commit.id, commit.version);
  }
  return { state, version: last.version, last, indexed: from.indexed, recent };
};

/** Up to which version every cause has its row, by a note that is of the stream's own past. */
const indexedBy = async (read: Store["read"], stream: string, { version, hash }: Indexed): Promise<number> => {
  const [commit] = version === 0 ? [] : await read(stream, version - 1, 1);
  return commit?.version === version && commit.hash === hash ? version : 0;
};

const hashAt = async (read: Store["read"], last: Commit, version: number): Promise<string> =>
  version === last.version ? last.hash : ((await read(last.stream, version - 1, 1))[0]?.hash ?? "");
