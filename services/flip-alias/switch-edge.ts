import { liveKey, type ReleaseRow, releaseKey } from "../../blueprint/edge-table.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { readFence } from "../../domain/environment/fence.ts";
import { isRemoved } from "../../domain/environment/remembered.ts";
import type { Route } from "../../domain/environment/route.ts";
import { type Environment, isTarget, type Routed } from "../../domain/environment/state.ts";
import type { EdgeTable } from "../../engine/aws/edge-table.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import type { Functions } from "../../engine/aws/functions.ts";
import { readRow, type Store } from "../../engine/edge/live-row.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import type { Flip } from "./flip.ts";
import { ALIAS } from "./move-aliases.ts";

export type Ports = { readonly edgeTable: EdgeTable; readonly functions: Pick<Functions, "alias">; readonly clock: Clock };
export type Switched = NonNullable<Extract<EnvironmentCommand, { type: "RecordWentLive" }>["edge"]>;
const TRIES = 30;
const HOUR = 60 * 60 * 1_000;

/**
 * Sends visitors to a release: writes its rows, fenced by the sequence as the aliases are, and reads back what is there then. After
 * a write that was refused or unanswered everything begins with a new read. What no flip wrote there is written down and overwritten:
 * the table only says what the log has.
 *
 * @param windowHours for how long what names the releases before still reaches them
 * @returns what was written; `by`: the newer sequence that took over, or its own where another delivery was quicker
 */
export const switchEdge = async (
  { edgeTable, functions, clock }: Ports,
  flip: Flip,
  store: Store,
  route: Route,
  windowHours: number,
): Promise<{ readonly edge: Switched } | { readonly by: number }> => {
  const key = liveKey(store.distribution);
  for (let tries = 1; ; tries++) {
    const version = await edgeTable.version(store.table);
    const text = await edgeTable.get(store.table, key);
    const state = await flip.now();
    const found = readRow(text);
    if (found !== undefined && isNewer(found, flip, state)) return { by: found.sequence };
    if (isOvertaken(flip, state)) return { by: Math.max(state.edge?.sequence ?? 0, flip.sequence) };
    const by = await movedBy(functions, flip, state);
    if (by !== undefined) return { by };
    await noteDrift(flip, store, state, text);
    const until = clock.now() + windowHours * HOUR;
    const left = leftBehind(state, found, route);
    try {
      await edgeTable.update(store.table, version, { puts: rowsOf(store, route, left, until) });
    } catch (error) {
      if (problemOf(error) !== "changed" || tries === TRIES) throw error;
      await clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
      continue;
    }
    const ended = left.map(({ release }) => ({ release, until: new Date(until).toISOString() }));
    const now = readRow(await edgeTable.get(store.table, key));
    if (now?.sequence === flip.sequence) return { edge: { distribution: store.distribution, route, ended } };
    if (now !== undefined && isNewer(now, flip, await flip.now())) return { by: now.sequence };
    if (tries === TRIES) throw new Error(`the row ${key} of the edge's table is not what flip ${flip.sequence} wrote there`);
  }
};

/** A sequence above the highest that a flip was asked for with is a hand's. @param state read after the row was */
const isNewer = ({ sequence }: Route, flip: Flip, { flipped }: Environment): boolean => sequence > flip.sequence && sequence <= flipped;

/**
 * Another delivery has brought the flip to its end, or a newer one went live: there is nothing to write, also where a hand has taken
 * away the row that says so, and what was read of the table before is past.
 */
const isOvertaken = ({ sequence }: Flip, { open, edge }: Environment): boolean =>
  !open.has(sequence) || (edge !== null && edge.sequence > sequence);

/**
 * The sequence of a newer flip that moved the server's alias. Each moves all of them before it writes its row: so it is seen where a hand
 * has changed that row since, and the log does not have it yet. One that is asked for after the state was read writes a later version of
 * the table. One that has failed is put back by a flip of its own, but for the first of an environment: that leaves nobody anything.
 */
const movedBy = async (functions: Ports["functions"], { sequence, release }: Flip, state: Environment): Promise<number | undefined> => {
  const server = release.functions.find(({ role }) => role === "server");
  if (state.flipped <= sequence || server === undefined) return undefined;
  const found = await functions.alias(server.name, ALIAS);
  const fence = found && readFence(found.description);
  if (fence === undefined || fence.sequence <= sequence) return undefined;
  const isFlips = isTarget(state, fence, server.name, found?.version ?? "") || state.aliases.get(server.name)?.sequence === fence.sequence;
  return isFlips && (state.open.has(fence.sequence) || state.live !== null) ? fence.sequence : undefined;
};

/** A row is what the log has, or of a flip that died before it said so, which the log knows: anything else is a hand's. */
const noteDrift = async (flip: Flip, { distribution }: Store, { edge }: Environment, text: string | undefined): Promise<void> => {
  if (edge === null || text === undefined || text === JSON.stringify(edge.route)) return;
  await flip.record({ type: "RecordEdgeDrift", distribution, sequence: edge.sequence, found: text.slice(0, 1_100) }, "/edge-drift");
};

/** Releases that would be sent to for ever: of the log, and one whose flip died after it wrote its row. */
const leftBehind = (state: Environment, found: Route | undefined, to: Route): Route[] => {
  const { routes, flipped } = state;
  const left = new Map([...routes.values()].flatMap(({ route, until }) => (until === null ? [[route.release, route] as const] : [])));
  const known = found && routes.get(found.release);
  const isLater = (said: Routed, row: Route) => said.until !== null && row.sequence > said.route.sequence && row.sequence <= flipped;
  // a hand may have written the row of a release whose address is gone for good
  const isNews = found !== undefined && (known === undefined ? !isRemoved(state, found.address) : isLater(known, found));
  if (isNews) left.set(found.release, found);
  left.delete(to.release);
  return [...left.values()];
};

const rowsOf = ({ distribution }: Store, route: Route, left: readonly Route[], until: number): Record<string, string> => {
  const ending = (one: Route): ReleaseRow => ({ ...one, until: Math.ceil(until / 1_000) });
  return {
    ...Object.fromEntries(left.map((one) => [releaseKey(distribution, one.release), JSON.stringify(ending(one))])),
    [releaseKey(distribution, route.release)]: JSON.stringify(route),
    [liveKey(distribution)]: JSON.stringify(route),
  };
};
