import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { functionNames } from "../../blueprint/site-resources.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import { kindOf } from "../../domain/deployment/shapes.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { isThrottled } from "../../engine/aws/errors.ts";
import type { Delivery } from "../../engine/kit/consumer.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import { type FlipTries, NO_TRIES } from "../../engine/views/unsettled-notes.ts";
import { FilesBusy } from "./files-writer.ts";
import { type Flip, flipOf } from "./flip.ts";
import { FlipImpossible, hasMoved, type Ports as MovePorts, moveAliases, verifyAliases } from "./move-aliases.ts";
import { FilesMissing } from "./public-files.ts";
import { type Ports as FilesPorts, putFiles, settleFiles } from "./settle-files.ts";
import { CannotRun, ProbeFailed, type Ports as WarmPorts, warm } from "./warm.ts";

export type Ports = MovePorts &
  WarmPorts &
  FilesPorts & {
    readonly aggregates: Aggregates;
    site(site: string, environment: string): SiteConfig | undefined;
    /** flips whose public files may not be settled: noted before one begins, for whoever comes after its process died */
    readonly unsettled: {
      /** `false` where it was noted before */
      note(place: string, sequence: number): Promise<boolean>;
      isNoted(place: string, sequence: number): Promise<boolean>;
      forget(place: string, sequence: number): Promise<void>;
      tries(place: string, sequence: number): Promise<FlipTries>;
      noteTries(place: string, sequence: number, tries: FlipTries): Promise<void>;
    };
  };

/** Brings a release live: moves the alias of every function, reads each back, and only then says so. */
export const flipAlias =
  (ports: Ports) =>
  async (event: Recorded<Subscribed<"flip-alias">>, delivery: Delivery): Promise<void> => {
    const flip = flipOf(ports.aggregates, event);
    const before = await flip.now();
    const site = ports.site(flip.site, flip.environment);
    if (site === undefined) return failed(ports, flip, before, `${flip.site}/${flip.environment} is not declared any more`);
    if (!before.open.has(flip.sequence)) return settleRest(ports, flip, site);
    const isFirst = await ports.unsettled.note(flip.place, flip.sequence);

    let given: unknown;
    if (before.flipped > flip.sequence) {
      await superseded(flip, before.flipped);
      await settleFiles(ports, flip, site);
    } else if (flip.reason === "deploy" && (await endedMeanwhile(ports, flip))) {
      await failed(ports, flip, before, "its deployment ended before it could go live");
      await settleFiles(ports, flip, site);
    } else given = await attempt(ports, declared(flip, site), site, before, delivery, isFirst);
    await ports.unsettled.forget(flip.place, flip.sequence);
    if (given !== undefined) throw given;
  };

/** What is put back is put back as far as it is declared still: a split function may have been taken away since. */
const declared = (flip: Flip, site: SiteConfig): Flip => {
  if (flip.reason !== "restore") return flip;
  const names = functionNames(flip.site, flip.environment, site);
  const functions = flip.release.functions.filter(({ role, name }) => role === kindOf(role) || names.includes(name));
  return { ...flip, release: { ...flip.release, functions } };
};

/** An earlier delivery may have put its files and died before it looked whose belong there. */
const settleRest = async (ports: Ports, flip: Flip, site: SiteConfig): Promise<void> => {
  if (!(await ports.unsettled.isNoted(flip.place, flip.sequence))) return;
  await settleFiles(ports, flip, site);
  await ports.unsettled.forget(flip.place, flip.sequence);
};

/** The flip to its end, or to an error that brings its message again. @returns the error that it was given up for */
const attempt = async (
  ports: Ports,
  flip: Flip,
  site: SiteConfig,
  before: Environment,
  delivery: Delivery,
  isFirst: boolean,
): Promise<unknown> => {
  const tries = isFirst ? NO_TRIES : await ports.unsettled.tries(flip.place, flip.sequence);
  const idle = tries.throttled[delivery.message] ?? 0;
  let given: unknown;
  try {
    const tried = { again: tries.failed, throttledBefore: Object.keys(tries.throttled).length > 0 };
    const isOver = await bringLive(ports, flip, site, before, tried);
    if (isOver) return undefined;
  } catch (error) {
    const unfit = error instanceof FilesMissing || (error instanceof CannotRun && error.unfit);
    const isFinal = unfit || error instanceof FlipImpossible || error instanceof CannotRun;
    if (!isFinal && !delivery.givesUp(error, idle)) {
      const now = triesAfter(tries, error, delivery.message);
      if (now !== tries) await ports.unsettled.noteTries(flip.place, flip.sequence, now);
      throw error;
    }
    await failed(
      ports,
      flip,
      before,
      isFinal ? error.message : `gave up: ${error instanceof Error ? error.message : String(error)}`,
      unfit,
    );
    if (!isFinal) given = error;
  }
  await settleFiles(ports, flip, site);
  return given;
};

const triesAfter = (tries: FlipTries, error: unknown, message: string): FlipTries => {
  if (error instanceof ProbeFailed) return tries.failed ? tries : { ...tries, failed: true };
  if (!isThrottled(error)) return tries;
  return { ...tries, throttled: { ...tries.throttled, [message]: (tries.throttled[message] ?? 0) + 1 } };
};

type Tried = { readonly again: boolean; readonly throttledBefore: boolean };

/** In this order: what cannot run changes no file of what is live. @returns whether it was overtaken, and has left already */
const bringLive = async (ports: Ports, flip: Flip, site: SiteConfig, before: Environment, tried: Tried): Promise<boolean> => {
  const { sequence, deploymentId, release, reason, forced = false } = flip;
  const live = before.live === null ? undefined : before.everLive.get(before.live.deploymentId);
  const unasked = await warm(ports, site, { deploymentId, release, live, reason, forced, ...tried });
  if (!(await putFiles(ports, flip, site))) {
    await overtaken(ports, flip, site);
    return true;
  }
  const newer = await moveAliases(ports, flip, before);
  const { by, unproven: unseen } = newer === undefined ? await verifyAliases(ports, flip, site) : { by: newer };
  const unproven = [unasked, unseen].filter((one) => one !== undefined).join("; ");
  if (by === undefined) await flip.record({ type: "RecordWentLive", sequence, ...(unproven !== "" && { unproven }) }, "/live");
  else await superseded(flip, by);
  return false;
};

/** Leaves nothing behind. @throws FilesBusy where it is another delivery of itself that goes on */
const overtaken = async (ports: Ports, flip: Flip, site: SiteConfig): Promise<void> => {
  const { flipped, open } = await flip.now();
  if (flipped > flip.sequence) await superseded(flip, flipped);
  await settleFiles(ports, flip, site);
  // another delivery ended it, or took the files over while this one stood still: then that one goes on
  if (flipped === flip.sequence && open.has(flip.sequence))
    throw new FilesBusy(`another delivery of flip ${flip.sequence} is putting its public files`);
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
