import type { Commit } from "../../domain/kernel/chain.ts";
import { each } from "../kit/each.ts";
import { type Kept, keepRow } from "./keep-row.ts";
import { unpacked } from "./packed-text.ts";
import { readModels, type ViewName, type Views } from "./read-models.ts";

/** A row as its item has it. Before rows had a shape they had none. */
export type Stored = { readonly shape?: number | undefined; readonly view: string };
/** The commits of a stream after a version, strongly consistent. */
export type ReadStream = (stream: string, after: number) => Promise<readonly Commit[]>;

/** Rows that are made anew at once: each reads a stream. */
const WIDTH = 8;

/** The view in a row; `undefined` where another engine, older or newer, wrote it in another shape. */
export const viewIn = <K extends ViewName>(name: K, row: Stored | null): Views[K] | undefined =>
  row?.shape === readModels[name].shape ? (JSON.parse(unpacked(row.view)) as Views[K]) : undefined;

/**
 * The views in rows, whoever wrote them: one of another shape is folded anew from its stream and written back, once. Left
 * out is a row whose stream the log does not have.
 */
export const viewsIn =
  <K extends ViewName>(read: ReadStream, name: K, rows: Kept<Views[K]>) =>
  async (found: readonly { readonly row: Stored; readonly stream: string }[]): Promise<Views[K][]> => {
    const views = found.map(({ row }) => viewIn(name, row));
    await each([...found.entries()], WIDTH, async ([at, { stream }]) => {
      if (views[at] !== undefined) return;
      await keepRow(read, name, rows, stream, 1);
      views[at] = await rows.get(stream);
    });
    return views.filter((view): view is Views[K] => view !== undefined);
  };
