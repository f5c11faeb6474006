import { liveKey } from "../../blueprint/edge-table.ts";
import { readRow, type Store } from "../../engine/edge/live-row.ts";
import type { Observed } from "./environments.ts";

export type Ports = {
  /** the table that the environment's edge looks up; `undefined` where it looks up none */
  store(site: string, environment: string): Store | undefined;
  /** a row of a table */
  row(table: string, key: string): Promise<string | undefined>;
  /** when the row of an environment was looked at last, milliseconds since 1970; `undefined`: never, or days ago */
  sentAgain(look: string): Promise<number | undefined>;
  noteSentAgain(look: string, at: number): Promise<void>;
  now(): number;
};

/** Each look is a request to the table's API, which costs a tenth of a cent. */
const EVERY_MS = 60 * 60_000;

/**
 * Whether visitors are sent where the log says. A row that is lost, or was never written, is written by bringing live once more what
 * is; what a hand wrote is shown and left alone, like an alias; what a flip wrote that had been given up is put right.
 */
export const lookAtEdge = async (ports: Ports, observed: Observed): Promise<void> => {
  const { site, environment, state, history, record } = observed;
  const store = state.live === null ? undefined : ports.store(site, environment);
  if (store === undefined) return;
  const cause = `edge/${history.length}`;
  const { distribution } = store;
  // never written, or to a distribution that was there before
  if (state.edge?.distribution !== distribution) return restore(observed, cause);
  if (!(await isDue(ports, observed))) return;
  const { route, sequence } = state.edge;
  const text = await ports.row(store.table, liveKey(distribution));
  await ports.noteSentAgain(lookOf(observed), ports.now());
  if (text === JSON.stringify(route)) {
    if (state.edgeDrift !== undefined) await record({ type: "RecordEdgeDriftEnded", distribution, sequence }, `${cause}/ended`);
    return;
  }
  if (isLate(observed, text)) return restore(observed, cause);
  await record({ type: "RecordEdgeDrift", distribution, sequence, found: text?.slice(0, 1_100) ?? null }, cause);
  if (text === undefined) await restore(observed, cause);
};

const lookOf = ({ stream }: Observed): string => `edge/${stream}`;
const isDue = async ({ sentAgain, now }: Ports, observed: Observed): Promise<boolean> => {
  const last = await sentAgain(lookOf(observed));
  return last === undefined || last > now() || now() - last >= EVERY_MS;
};

/** A flip wrote it that had been given up. */
const isLate = ({ state, flips }: Observed, text: string | undefined): boolean => {
  const written = readRow(text)?.sequence ?? 0;
  return written > (state.live?.sequence ?? 0) && flips.has(written);
};

/** A restore that failed is not tried for ever. */
const restore = async ({ state, flips, record }: Observed, cause: string): Promise<void> => {
  const hasFailed = flips.get(state.flipped)?.reason === "restore" && state.flipped !== state.live?.sequence;
  if (!hasFailed) await record({ type: "RestoreEdge" }, `${cause}/restore`);
};
