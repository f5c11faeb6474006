import { liveKey } from "../../blueprint/edge-table.ts";
import { isReached } from "../../domain/deployment/shapes.ts";
import { isOfFlip } from "../../domain/environment/edge-drift.ts";
import type { Route } from "../../domain/environment/route.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { ReleaseAddresses } from "../../engine/aws/addresses.ts";
import { aliasOf } from "../../engine/edge/addresses.ts";
import type { Store } from "../../engine/edge/live-row.ts";
import { isAhead } from "../../engine/kit/age.ts";
import type { ReadBack } from "../../engine/log/read-back.ts";
import type { Observed } from "./environments.ts";

export type Ports = {
  /** the table that the environment's edge looks up; `undefined` where it looks up none */
  store(site: string, environment: string): Store | undefined;
  /** a row of a table */
  row(table: string, key: string): Promise<string | undefined>;
  readonly addresses: Pick<ReleaseAddresses, "find">;
  /** when the row of an environment was looked at last, milliseconds since 1970; `undefined`: never, or days ago */
  sentAgain(look: string): Promise<number | undefined>;
  noteSentAgain(look: string, at: number): Promise<void>;
  readonly back: ReadBack;
  now(): number;
};

/** Each look is a request to the table's API, which costs a tenth of a cent. */
const EVERY_MS = 60 * 60_000;
/** Between two restores of which the first failed, at the most. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;

/**
 * Whether visitors are sent where the log says, and somebody answers there. A row that is lost, or was never written, is written by
 * bringing live once more what is, and so an address of which a hand deleted the URL or the alias is made again, with another URL; what a
 * hand wrote is shown and left alone, like an alias; what a flip wrote that had been given up is put right.
 *
 * The addresses of releases that were live before are not looked at: what names one whose URL is gone meets an error until its window is
 * over or somebody cuts it off, and a document never leads there.
 */
export const lookAtEdge = async (ports: Ports, observed: Observed): Promise<void> => {
  const { site, environment, state, version, record } = observed;
  const store = state.live === null ? undefined : ports.store(site, environment);
  if (store === undefined) return;
  const cause = `edge/v${version}`;
  const { distribution } = store;
  // never written, or to a distribution that was there before
  if (state.edge?.distribution !== distribution) return restore(ports, observed, "row", cause);
  if (!(await isDue(ports, observed))) return;
  const { route, sequence } = state.edge;
  const text = await ports.row(store.table, liveKey(distribution));
  const isAnswered = await leadsSomewhere(ports, observed, route);
  await ports.noteSentAgain(lookOf(observed), ports.now());
  if (text === JSON.stringify(route)) {
    if (state.edgeDrift !== undefined) await record({ type: "RecordEdgeDriftEnded", distribution, sequence }, `${cause}/ended`);
    if (!isAnswered) await restore(ports, observed, "address", cause);
    return;
  }
  const found = text?.slice(0, 1_100) ?? null;
  // a flip wrote it that had been given up
  if (isOfFlip(found, state)) return restore(ports, observed, "row", cause);
  await record({ type: "RecordEdgeDrift", distribution, sequence, found }, cause);
  if (text === undefined) await restore(ports, observed, "row", cause);
};

const lookOf = ({ stream }: Observed): string => `edge/${stream}`;
const isDue = async ({ sentAgain, now }: Ports, observed: Observed): Promise<boolean> => {
  const last = await sentAgain(lookOf(observed));
  return last === undefined || last > now() || now() - last >= EVERY_MS;
};

/** Whether each URL that the row of what is live names is that of its alias. */
const leadsSomewhere = async ({ addresses }: Ports, { state }: Observed, route: Route): Promise<boolean> => {
  const { functions = [] } = state.everLive.get(state.live?.deploymentId ?? "")?.release ?? {};
  const alias = aliasOf(route.address);
  const found = await Promise.all(functions.filter(isReached).map(({ name }) => addresses.find({ name, alias })));
  // the rest of its host is the same for all
  const ids = new Set(found.map((address) => address?.url && new URL(address.url).host.split(".")[0]));
  const named = [route.server, route.image, ...(route.split ?? []).map(([, id]) => id)];
  return named.every((id) => ids.has(id));
};

/**
 * What failed may go on failing, and people hear of each failure: it is tried again an hour later, then two, four …, in the end once a
 * day. What a newer flip overtook has not failed: where that flip fails too, the next look begins anew.
 */
const restore = async (
  { now, back }: Ports,
  { stream, state: { live }, record }: Observed,
  lost: "row" | "address",
  cause: string,
): Promise<void> => {
  const failed = await failedRestores(back(stream));
  const [last] = failed;
  const pauseMs = Math.min(EVERY_MS * 2 ** (failed.length - 1), MAX_PAUSE_MS);
  if (last !== undefined && !isAhead(last.at, now()) && now() - Date.parse(last.at) < pauseMs) return;
  if (live !== null) await record({ type: "RestoreEdge", sequence: live.sequence, lost }, `${cause}/restore`);
};

/** Since something went live last, newest first. */
const failedRestores = async (events: AsyncIterable<Recorded>): Promise<Recorded[]> => {
  const failed: Recorded[] = [];
  for await (const event of events) {
    if (event.type === "ReleaseWentLive") break;
    if (event.type === "FlipFailed" && (event.body as { flip?: string }).flip === "restore") failed.push(event);
  }
  return failed;
};
