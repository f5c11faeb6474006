import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow, modelOf, type ViewName, type Views, viewsOf } from "../../engine/views/read-models.ts";
import { digestOf, type Item, type ViewItems } from "../../engine/views/view-items.ts";

/** Where the fold of a stream into one read model stands. */
export type Folded = {
  readonly view: ViewName;
  readonly stream: string;
  /** version of the last commit that was folded */
  version: number;
  /** the row; dropped once it is written and nothing more is expected of its stream */
  row: Views[ViewName] | undefined;
  /** of the row's item as it was last made */
  digest: string | undefined;
  /** the item must be made and written: the row is newer */
  due: boolean;
};

export type Ports = {
  /** the commits of a stream after a version, strongly consistent */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  readonly itemOf: ViewItems["itemOf"];
  /** takes one finished row; `undefined` where rows are only compared */
  readonly put: ((item: Item) => Promise<void>) | undefined;
};

export type Folding = ReturnType<typeof folding>;

/** The name of a row among those of all read models. */
export const rowKey = (view: ViewName, stream: string): string => `${view} ${stream}`;

/**
 * Folds commits into rows, stream by stream, for each of these read models that a stream feeds. Rows of streams that are
 * over are written and let go, so memory holds the streams that are under way, and of the others no more than a digest.
 */
export const folding = ({ read, itemOf, put }: Ports, views: readonly ViewName[], generations: Readonly<Record<string, number>>) => {
  const folds = new Map<string, Folded>();
  /** under way, and changed since they were last written */
  const due = new Set<Folded>();
  let events = 0;
  let rows = 0;

  const finish = async (folded: Folded, write: boolean): Promise<void> => {
    if (folded.row === undefined || folded.row.version === 0) return;
    const item = itemOf(folded.view, generations[folded.view] ?? 0, folded.row as never);
    if (folded.digest === undefined) rows += 1;
    folded.digest = digestOf(item);
    if (write) await put?.(item);
  };

  const fold = (folded: Folded, commits: readonly Commit[]): void => {
    const { view, stream } = folded;
    folded.row = foldRow(view, (folded.row as never) ?? modelOf(view).begin(stream), commits.flatMap(eventsOf));
    folded.version = commits.at(-1)?.version ?? folded.version;
  };

  const foldedOf = (view: ViewName, stream: string): Folded => {
    const key = rowKey(view, stream);
    const found = folds.get(key) ?? { view, stream, version: 0, row: undefined, digest: undefined, due: false };
    folds.set(key, found);
    return found;
  };

  /** Folds one commit into one read model. */
  const addTo = async (folded: Folded, commit: Commit, written: boolean): Promise<void> => {
    const { stream, version } = commit;
    // something more about a stream that was over: its row is made from its beginning
    const again = folded.row === undefined && folded.digest !== undefined;
    // a commit that the index does not show yet, or that is not in its place
    const gap = version !== folded.version + 1;
    if (again || gap) {
      const whole = (await read(stream, again ? 0 : folded.version)).filter((one) => one.version <= version);
      if (whole.at(-1)?.version !== version)
        throw new Error(`${stream} has no version ${version} in the event table, though it is in the log that was read`);
      fold(folded, whole);
    } else fold(folded, [commit]);
    if (!written) folded.due = true;

    if (folded.row !== undefined && modelOf(folded.view).over(folded.row as never)) {
      await finish(folded, folded.due);
      due.delete(folded);
      folded.due = false;
      folded.row = undefined;
    } else due.add(folded);
  };

  return {
    /** by `rowKey` */
    folds: folds as ReadonlyMap<string, Folded>,
    counts: () => ({ events, rows }),
    /** Folds one commit. `written`: its rows were written by an earlier run already. Commits that were folded are passed over. */
    add: async (commit: Commit, written: boolean): Promise<void> => {
      const behind = viewsOf(commit.stream)
        .filter((view) => views.includes(view))
        .map((view) => foldedOf(view, commit.stream))
        .filter(({ version }) => version < commit.version);
      if (behind.length > 0) events += eventsOf(commit).length;
      for (const folded of behind) await addTo(folded, commit, written);
    },
    /** Makes and writes every row that is newer than what was written. */
    flush: async (): Promise<void> => {
      for (const folded of [...due]) {
        due.delete(folded);
        const write = folded.due;
        folded.due = false;
        await finish(folded, write);
      }
    },
  };
};
