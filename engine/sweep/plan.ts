import { hasEnded } from "../../domain/deployment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { MAX_MARKED } from "../../domain/environment/sweep.ts";
import { protectedIn, type Recent, type Verdict, verdictOf } from "../../domain/environment/verdict.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { Aggregates } from "../log/execute.ts";
import type { ReadBack } from "../log/read-back.ts";
import { deploymentIn, type Found, type Ports as FoundPorts, inventoryOf, manifestsOf } from "./found.ts";
import { type Ports as OtherPorts, othersOf } from "./others.ts";
import type { Place } from "./place.ts";
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
  /** oldest first, no more of them than a mark has */
  readonly going: readonly Found[];
  readonly things: readonly Thing[];
  /** what no release has */
  readonly others: readonly Thing[];
  /** bytes by the names of versions and files */
  readonly sizes: ReadonlyMap<string, number>;
  /** the last flip that was requested when the rules were asked */
  readonly flipped: number;
  /** ids of manifests that no deployment in the log has: where there are any, nobody knows what they need, and nothing goes */
  readonly strangers: readonly string[];
};

type Asked = {
  /** releases that are claimed already: these go, and no others */
  readonly only?: ReadonlySet<string>;
  readonly served?: Served;
  /** for who waits: no more than the first fifty thousand files are looked at */
  readonly isLean?: boolean;
};

/**
 * Looks at everything that lies in an environment's places, and asks of each whether something keeps it. It costs what lies there:
 * what was swept is not looked at again.
 */
export const planOf = async (ports: Ports, place: Place, { only, served = nobodyLooked, isLean = false }: Asked = {}): Promise<Plan> => {
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
  const manifests = await manifestsOf(ports, place, inventory.found);
  const addresses = [...recent.flips, ...(served.address === undefined ? [] : [served.address])];
  const inUse = await buildsInUse(ports, place, state);
  const { things: others, sizes } = await othersOf(ports, place, inventory, manifests, { judge, state, addresses, inUse, isLean });
  const { strangers } = inventory;
  const { flipped } = state;
  if (strangers.length > 0) return { judged, going: [], things: [], others: [], sizes, flipped, strangers };
  const goes = only === undefined ? ({ verdict }: Judged) => "goes" in verdict : ({ one }: Judged) => only.has(one.deploymentId);
  const going = judged
    .filter(goes)
    .slice(0, MAX_MARKED)
    .map(({ one }) => one);
  const ids = new Set(going.map(({ deploymentId }) => deploymentId));
  const remaining = inventory.found.filter(({ deploymentId }) => !ids.has(deploymentId));
  const things = thingsOf(place, going, remaining, manifests, inUse);
  return { judged, going, things, others, sizes, flipped, strangers };
};

const HOUR = 3_600_000;

/**
 * Whoever moves aliases is ended after two minutes on AWS, also where it stands still; on one machine, that slept, it goes on where it
 * was. The log has given up on it, and hears of what it did minutes later.
 */
const STANDS_STILL_HOURS = 4;

/** What was live within the window, and which flips came to nothing in the last hours: read back in the log as far as that. */
const recentOf = async (
  { back, now }: Ports,
  { site, environment, keep }: Place,
): Promise<Recent & { readonly flips: ReadonlySet<number> }> => {
  const ago = (hours: number): string => new Date(now() - hours * HOUR).toISOString();
  const [windowSince, flipsSince] = [ago(keep.window), ago(STANDS_STILL_HOURS)];
  const inWindow = new Set<string>();
  const mayFlip = new Set<string>();
  const flips = new Set<number>();
  let isWindowOver = false;
  for await (const event of back(environmentStream(site, environment))) {
    if (isWindowOver && event.at < flipsSince) break;
    if (isOf(event, "FlipFailed", "FlipSuperseded") && event.at >= flipsSince) {
      mayFlip.add(event.body.deploymentId);
      flips.add(event.body.sequence);
    }
    if (isWindowOver || !isOf(event, "ReleaseWentLive")) continue;
    inWindow.add(event.body.deploymentId);
    // it was live when the window began
    isWindowOver = event.at < windowSince;
  }
  return { youngSince: ago(keep.days * 24), inWindow, mayFlip, flips };
};

type OfFlip = Recorded & { readonly body: { readonly deploymentId: string; readonly sequence: number } };
const isOf = (event: Recorded, ...types: readonly EnvironmentEvent["type"][]): event is OfFlip =>
  (types as readonly string[]).includes(event.type);

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
