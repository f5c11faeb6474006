import { hasEnded } from "../../domain/deployment/decider.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { MAX_MARKED } from "../../domain/environment/sweep.ts";
import { protectedIn, type Verdict, verdictOf } from "../../domain/environment/verdict.ts";
import type { Aggregates } from "../log/execute.ts";
import type { ReadBack } from "../log/read-back.ts";
import { deploymentIn, type Found, type Ports as FoundPorts, type Inventory, inventoryOf, manifestsOf } from "./found.ts";
import { type Ports as OtherPorts, othersOf } from "./others.ts";
import type { Place } from "./place.ts";
import { type RecentFlips, recentOf } from "./recent.ts";
import { isServed, nobodyLooked, type Served } from "./served.ts";
import { type InUse, type Thing, thingsOf } from "./things.ts";

export type Ports = FoundPorts &
  OtherPorts & {
    readonly aggregates: Pick<Aggregates, "environment" | "deployment">;
    readonly back: ReadBack;
    now(): number;
  };

export type Judged = { readonly one: Found; readonly verdict: Verdict };

/** What of an environment stays, and what goes. Nothing is changed. */
export type Plan = {
  readonly judged: readonly Judged[];
  /** no more of them than a mark has: first what was never swept, the oldest first */
  readonly going: readonly Found[];
  readonly things: readonly Thing[];
  /** the same where these versions stay after all (`<function>:<version>`), and with them what their releases need */
  thingsBut(versions: ReadonlySet<string>): readonly Thing[];
  /** what no release has */
  readonly others: readonly Thing[];
  /** bytes by the names of versions and files */
  readonly sizes: ReadonlyMap<string, number>;
  /** of files alone, by their keys */
  readonly files: ReadonlyMap<string, number>;
  /** the last flip that was requested when the rules were asked */
  readonly flipped: number;
  /** ids of manifests that no deployment in the log has: where there are any, nobody knows what they need, and nothing goes */
  readonly strangers: readonly string[];
  /** deployments whose releases stay, and whose manifests are gone: then nothing goes either */
  readonly lost: readonly string[];
};

type Asked = {
  /** releases that are claimed already: these go, and no others */
  readonly only?: ReadonlySet<string>;
  readonly served?: Served;
  /** bytes of files by their keys, as a look right before had them: they are not listed again */
  readonly files?: ReadonlyMap<string, number>;
  /** for who waits: no more than the first fifty thousand files are looked at */
  readonly isLean?: boolean;
};

/**
 * Looks at everything that lies in an environment's places, and asks of each whether something keeps it. It costs what lies there:
 * what was swept is not looked at again.
 */
export const planOf = async (
  ports: Ports,
  place: Place,
  { only, served = nobodyLooked, files, isLean = false }: Asked = {},
): Promise<Plan> => {
  const inventory = await inventoryOf(ports, place);
  // after the inventory: what was chosen meanwhile is known
  const { state } = await ports.aggregates.environment.load(place.site, place.environment);
  const recent = await recentOf(ports, place);
  const isProtected = protectedIn(state, place.keep.releases, served.ids);
  const judge = (one: Found): Verdict => {
    const verdict = verdictOf(isProtected, one, recent);
    return "goes" in verdict && isServed(served, one) ? { stays: "reached" } : verdict;
  };
  const judged = inventory.found.map((one) => ({ one, verdict: judge(one) }));
  const manifests = await manifestsOf(
    ports,
    place,
    inventory.found.map(({ deploymentId }) => deploymentId),
  );
  const addresses = [...addressesIn(recent, inventory.found), ...served.addresses];
  const inUse = await buildsInUse(ports, place, state);
  const rules = { judge, state, addresses, inUse, files, isLean };
  const { things: others, ...bytes } = await othersOf(ports, place, inventory, manifests, rules);
  const { strangers } = inventory;
  const lost = await lostOf(ports, place, inventory, state, { isProtected, recent });
  const seen = { judged, ...bytes, flipped: state.flipped, strangers, lost };
  if (strangers.length + lost.length > 0) return { ...seen, going: [], things: [], thingsBut: () => [], others: [] };
  const goes = only === undefined ? ({ verdict }: Judged) => "goes" in verdict : ({ one }: Judged) => only.has(one.deploymentId);
  const going = judged
    .filter(goes)
    .map(({ one }) => one)
    // of what was swept something is left that cannot be taken: it keeps no other from its turn
    .sort((a, b) => Number(a.isSwept) - Number(b.isSwept))
    .slice(0, MAX_MARKED);
  const thingsBut = (versions: ReadonlySet<string>): readonly Thing[] => {
    const own = going.filter(({ functions }) => !functions.some(({ name, version }) => versions.has(`${name}:${version}`)));
    const ids = new Set(own.map(({ deploymentId }) => deploymentId));
    const remaining = inventory.found.filter(({ deploymentId }) => !ids.has(deploymentId));
    return thingsOf(place, own, remaining, manifests, inUse);
  };
  return { ...seen, going, things: thingsBut(new Set()), thingsBut, others };
};

/** Numbers of addresses that a flip made which came to nothing: whoever was at it may go on, or its row at the edge leads there still. */
const addressesIn = ({ flips, sentOn }: RecentFlips, found: Inventory["found"]): number[] => {
  const sent = new Set(found.flatMap(({ deploymentId, release }) => (sentOn.has(release) ? [deploymentId] : [])));
  return [...flips].flatMap(([sequence, { deploymentId, mayGoOn }]) => (mayGoOn || sent.has(deploymentId) ? [sequence] : []));
};

type Rules = { readonly isProtected: ReturnType<typeof protectedIn>; readonly recent: RecentFlips };

/** What stays and no inventory has: its versions, and files that only it names, would be taken for what no release has. */
const lostOf = async (
  ports: Ports,
  place: Place,
  { found }: Inventory,
  { live, routes, open, waiting, everLive, standing, unfit, kept, pinnedRelease }: Environment,
  { isProtected, recent }: Rules,
): Promise<string[]> => {
  const there = new Set(found.map(({ deploymentId }) => deploymentId));
  const needed = [live, waiting, ...open.values(), ...[...routes.values()].filter(({ ended }) => ended === null)];
  const ids = new Set(needed.flatMap((one) => (one === null || there.has(one.deploymentId) ? [] : [one.deploymentId])));
  const back = [...everLive.keys(), ...standing].filter((id) => isProtected({ deploymentId: id, release: id }) !== undefined);
  const mayStay = new Set([...back, ...kept, ...(pinnedRelease === null ? [] : [pinnedRelease]), ...recent.inWindow]);
  // what cannot go live any more is no way back
  for (const id of [...there, ...unfit.keys()]) mayStay.delete(id);
  for (const id of mayStay) {
    const one = await deploymentIn(ports, place, id);
    if (one !== undefined && one.functions.length > 0 && !one.isSwept) ids.add(id);
  }
  // what was published after the inventory was made has one
  const manifests = await manifestsOf(ports, place, [...ids]);
  return [...ids].filter((id) => manifests.get(id) === undefined);
};

/** Builds that a deployment which has not ended takes over from one that may go, and those of deployments that somebody keeps. */
const buildsInUse = async (ports: Ports, place: Place, { pending, kept }: Environment): Promise<InUse> => {
  const inUse = { artifacts: new Set<string>(), releases: new Set<string>(kept), isUnknown: false };
  for (const deploymentId of pending.keys()) {
    const { state } = await ports.aggregates.deployment.load(deploymentId);
    // admitted, and not begun: nobody knows what it takes over
    if (state.request === null) return { ...inUse, isUnknown: true };
    const { reuse } = state.request;
    if (reuse === undefined || hasEnded(state)) continue;
    inUse.artifacts.add(reuse.artifact.key);
    inUse.releases.add(reuse.releaseId);
  }
  for (const deploymentId of kept) {
    const one = await deploymentIn(ports, place, deploymentId);
    if (one?.artifact !== undefined) inUse.artifacts.add(one.artifact);
    if (one !== undefined) inUse.releases.add(one.release);
  }
  return inUse;
};
