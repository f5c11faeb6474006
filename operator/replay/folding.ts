import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { advance, type ReadModel, readModels, type Views, viewOf } from "../../engine/views/read-models.ts";
import { digestOf, type Item, type ViewItems } from "../../engine/views/view-items.ts";
import type { ViewName } from "../../engine/views/view-names.ts";

/** Where the fold of a stream stands. */
export type Folded = {
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

/**
 * Folds commits into rows, stream by stream. Rows of streams that are over are written and let go, so memory holds the
 * streams that are under way, and of the others no more than a digest.
 */
export const folding = ({ read, itemOf, put }: Ports, generations: Readonly<Record<ViewName, number>>) => {
  const streams = new Map<string, Folded>();
  /** under way, and changed since they were last written */
  const due = new Map<string, Folded>();
  let events = 0;
  let rows = 0;

  const finish = async (stream: string, folded: Folded, write: boolean): Promise<void> => {
    if (folded.row === undefined || folded.row.version === 0) return;
    const name = viewOf(stream);
    const item = itemOf(name, generations[name], folded.row as never);
    if (folded.digest === undefined) rows += 1;
    folded.digest = digestOf(item);
    if (write) await put?.(item);
  };

  const fold = <K extends ViewName>(name: K, stream: string, folded: Folded, commits: readonly Commit[]): void => {
    const model: ReadModel<Views[K]> = readModels[name];
    const recorded = commits.flatMap(eventsOf);
    folded.row = advance(model, (folded.row as Views[K] | undefined) ?? model.begin(stream), recorded);
    folded.version = commits.at(-1)?.version ?? folded.version;
    events += recorded.length;
  };

  return {
    streams: streams as ReadonlyMap<string, Folded>,
    counts: () => ({ events, rows }),
    /** Folds one commit. `written`: its row was written by an earlier run already. Commits that were folded are passed over. */
    add: async (commit: Commit, written: boolean): Promise<void> => {
      const { stream, version } = commit;
      const name = viewOf(stream);
      let folded = streams.get(stream);
      if (folded === undefined) {
        folded = { version: 0, row: undefined, digest: undefined, due: false };
        streams.set(stream, folded);
      }
      if (version <= folded.version) return;
      // something more about a stream that was over: its row is made from its beginning
      const again = folded.row === undefined && folded.digest !== undefined;
      // a commit that the index does not show yet, or that is not in its place
      const gap = version !== folded.version + 1;
      if (again || gap) {
        const whole = (await read(stream, again ? 0 : folded.version)).filter((one) => one.version <= version);
        if (whole.at(-1)?.version !== version)
          throw new Error(`${stream} has no version ${version} in the event table, though it is in the log that was read`);
        fold(name, stream, folded, whole);
      } else fold(name, stream, folded, [commit]);
      if (!written) folded.due = true;

      if (folded.row !== undefined && readModels[name].over(folded.row as never)) {
        await finish(stream, folded, folded.due);
        due.delete(stream);
        folded.due = false;
        folded.row = undefined;
      } else due.set(stream, folded);
    },
    /** Makes and writes every row that is newer than what was written. */
    flush: async (): Promise<void> => {
      for (const [stream, folded] of [...due]) {
        due.delete(stream);
        const write = folded.due;
        folded.due = false;
        await finish(stream, folded, write);
      }
    },
  };
};
