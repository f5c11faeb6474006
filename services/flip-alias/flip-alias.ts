import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { functionNames } from "../../blueprint/site-resources.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import { kindOf } from "../../domain/deployment/shapes.ts";
import type { Route } from "../../domain/environment/route.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { isThrottled } from "../../engine/aws/errors.ts";
import { storeOf } from "../../engine/edge/live-row.ts";
import type { Delivery } from "../../engine/kit/consumer.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import { FilesMissing } from "../../engine/open-next/public-set.ts";
import { type FlipTries, NO_TRIES } from "../../engine/views/flip-notes.ts";
import { type Flip, flipOf } from "./flip.ts";
import { FlipImpossible, hasMoved, type Ports as MovePorts, moveAliases, verifyAliases } from "./move-aliases.ts";
import { type Ports as RoutePorts, routeTo } from "./route.ts";
import { type Switched, type Ports as SwitchPorts, switchEdge } from "./switch-edge.ts";
import { CannotRun, ProbeFailed, type Ports as WarmPorts, warm } from "./warm.ts";

export type Ports = MovePorts &
  WarmPorts &
  RoutePorts &
  SwitchPorts & {
    readonly aggregates: Aggregates;
    site(site: string, environment: string): SiteConfig | undefined;
    /** how the deliveries of a flip ended so far; `place` is the environment's stream */
    readonly notes: {
      flipTries(place: string, sequence: number): Promise<FlipTries>;
      noteTries(place: string, sequence: number, before: FlipTries, tries: FlipTries): Promise<void>;
      forgetTries(place: string, sequence: number): Promise<void>;
    };
  };

/** Brings a release live: moves the alias of every function, reads each back, sends visitors to it, and only then says so. */
export const flipAlias =
  (ports: Ports) =>
  async (event: Recorded<Subscribed<"flip-alias">>, delivery: Delivery): Promise<void> => {
    const flip = flipOf(ports.aggregates, event);
    const [before, tries] = await Promise.all([flip.now(), ports.notes.flipTries(flip.place, flip.sequence)]);
    const site = ports.site(flip.site, flip.environment);
    if (site === undefined) return failed(ports, flip, before, `${flip.site}/${flip.environment} is not declared any more`);
    if (!before.open.has(flip.sequence)) return;
    if (before.flipped > flip.sequence) await superseded(flip, before.flipped);
    else if (flip.reason === "deploy" && (await endedMeanwhile(ports, flip)))
      await failed(ports, flip, before, "its deployment ended before it could go live");
    else return attempt(ports, declared(flip, site), site, before, tries, delivery);
    await ports.notes.forgetTries(flip.place, flip.sequence);
  };

/** What is put back is put back as far as it is declared still: a split function may have been taken away since. */
const declared = (flip: Flip, site: SiteConfig): Flip => {
  if (flip.reason !== "restore") return flip;
  const names = functionNames(flip.site, flip.environment, site);
  const functions = flip.release.functions.filter(({ role, name }) => role === kindOf(role) || names.includes(name));
  return { ...flip, release: { ...flip.release, functions } };
};

/** The flip to its end, or to an error that brings its message again. */
const attempt = async (
  ports: Ports,
  flip: Flip,
  site: SiteConfig,
  before: Environment,
  tries: FlipTries,
  delivery: Delivery,
): Promise<void> => {
  const { place, sequence } = flip;
  const idle = tries.throttled[delivery.message] ?? 0;
  const tried = { again: tries.failed, throttledBefore: Object.keys(tries.throttled).length > 0 };
  let given: unknown;
  try {
    await bringLive(ports, flip, site, before, tried);
  } catch (error) {
    const unfit = error instanceof FilesMissing || (error instanceof CannotRun && error.unfit);
    const isFinal = unfit || error instanceof FlipImpossible || error instanceof CannotRun;
    if (!isFinal && !delivery.givesUp(error, idle)) {
      const now = triesAfter(tries, error, delivery.message);
      if (now !== tries) await ports.notes.noteTries(place, sequence, tries, now);
      throw error;
    }
    const why = error instanceof Error ? error.message : String(error);
    await failed(ports, flip, before, isFinal ? why : `gave up: ${why}`, unfit);
    if (!isFinal) given = error;
  }
  if (tries !== NO_TRIES) await ports.notes.forgetTries(place, sequence);
  if (given !== undefined) throw given;
};

const triesAfter = (tries: FlipTries, error: unknown, message: string): FlipTries => {
  if (error instanceof ProbeFailed) return tries.failed ? tries : { ...tries, failed: true };
  if (!isThrottled(error)) return tries;
  return { ...tries, throttled: { ...tries.throttled, [message]: (tries.throttled[message] ?? 0) + 1 } };
};

type Tried = { readonly again: boolean; readonly throttledBefore: boolean };

/**
 * In this order: nothing of what is live changes for a release that cannot run; everything that the edge's row names is there before
 * the row is; and the row is written only when every alias answers with the release.
 */
const bringLive = async (ports: Ports, flip: Flip, site: SiteConfig, before: Environment, tried: Tried): Promise<void> => {
  const { sequence, deploymentId, release, reason, forced = false } = flip;
  const live = before.live === null ? undefined : before.everLive.get(before.live.deploymentId);
  const [unasked, route] = await all(
    warm(ports, site, { deploymentId, release, live, reason, forced, ...tried }),
    routeTo(ports, flip, site, before),
  );
  const moved = await moveAliases(ports, flip, before);
  if (moved.by !== undefined) return superseded(flip, moved.by);
  const { by, unproven: unseen } = await verifyAliases(ports, flip, site);
  if (by !== undefined) return superseded(flip, by);
  const switched = await sendVisitors(ports, flip, site, route);
  if ("by" in switched) return superseded(flip, switched.by);
  const { moves, cleared } = moved;
  const unproven = [unasked, unseen].filter((one) => one !== undefined).join("; ");
  await flip.record({ type: "RecordWentLive", sequence, moves, cleared, ...(unproven !== "" && { unproven }), ...switched }, "/live");
};

/** Nothing to write where the environment's edge looks up no table: what is behind the aliases is all that its visitors see. */
const sendVisitors = async (
  ports: Ports,
  flip: Flip,
  site: SiteConfig,
  route: Route,
): Promise<{ readonly edge?: Switched } | { readonly by: number }> => {
  const store = storeOf(site);
  return store === undefined ? {} : switchEdge(ports, flip, store, route, site.skewHours);
};

/** The results of steps at once, of which none goes on behind another's failure. */
const all = async <T extends readonly unknown[]>(...steps: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> => {
  await Promise.allSettled(steps);
  return Promise.all(steps);
};

/** The claim that settles a race with a cancel: whoever appends first wins. */
const endedMeanwhile = async ({ aggregates }: Ports, { deploymentId, sequence, because }: Flip): Promise<boolean> => {
  const { refusal } = await aggregates.deployment.execute(deploymentId, { type: "StartFlip", sequence }, because("/start"));
  return refusal !== undefined;
};

const superseded = async ({ sequence, record }: Flip, by: number): Promise<void> => {
  await record({ type: "RecordFlipSuperseded", sequence, by }, "/superseded");
};

const failed = async (ports: Ports, flip: Flip, before: Environment, why: string, unfit = false): Promise<void> => {
  const moved = await hasMoved(ports, flip, before);
  await flip.record({ type: "RecordFlipFailed", sequence: flip.sequence, reason: why.slice(0, 2_000), moved, unfit }, "/failed");
};
