import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { PublishedFunction } from "../../domain/deployment/shapes.ts";
import type { Move } from "../../domain/environment/commands.ts";
import { judgeAlias, readFence, sayDrift } from "../../domain/environment/fence.ts";
import { type Environment, isTarget } from "../../domain/environment/state.ts";
import { isOutOfTime, isThrottled } from "../../engine/aws/errors.ts";
import type { AliasState, Functions } from "../../engine/aws/functions.ts";
import { putBack } from "../../engine/aws/put-back.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { atOf, probeOf } from "../../engine/open-next/probe.ts";
import type { Flip } from "./flip.ts";
import { moveAlias } from "./move-alias.ts";
import { noRoom } from "./warm.ts";

export type Ports = { readonly functions: Pick<Functions, "alias" | "moveAlias" | "invoke">; readonly clock: Clock };

/** The flip cannot be done, now or later. */
export class FlipImpossible extends Error {
  override readonly name = "FlipImpossible";
}

export const ALIAS = "live";
/** Answers in a row that must come from the new version before the flip is recorded. */
const CONFIRMATIONS = 2;
const VERIFY_TRIES = 50;
/** By then every alias has answered, or is read instead. */
export const VERIFY_MS = 60_000;

/** What the log is told of once the release is live; until then, who finds an alias so knows whose move it is. */
export type Moves = {
  readonly moves: readonly Move[];
  /** functions on whose alias a hand had put weights since an earlier delivery moved it */
  readonly cleared: readonly string[];
  readonly by?: undefined;
};
type MovedOne = Omit<Moves, "by"> & { readonly by?: number; readonly fault?: unknown };

/**
 * Moves the alias of every function of the release, the server's last: until then the old server answers, with helpers that are
 * one release ahead for some milliseconds. Where not all could be moved, whoever comes next finds those that were and writes them down.
 *
 * @param before the environment as it was when the flip began
 * @returns what the log is to be told; `by`: the newer sequence that took over
 */
export const moveAliases = async (ports: Ports, flip: Flip, before: Environment): Promise<Moves | { readonly by: number }> => {
  const { functions } = flip.release;
  const moveAll = (targets: readonly PublishedFunction[]) => Promise.all(targets.map((target) => moveOne(ports, flip, target, before)));
  const isStopped = ({ by, fault }: MovedOne): boolean => by !== undefined || fault !== undefined;
  const moved = await moveAll(functions.filter(({ role }) => role !== "server"));
  if (!moved.some(isStopped)) moved.push(...(await moveAll(functions.filter(({ role }) => role === "server"))));
  const stopped = moved.find(isStopped);
  if (stopped === undefined) return { moves: moved.flatMap(({ moves }) => moves), cleared: moved.flatMap(({ cleared }) => cleared) };
  if (stopped.by !== undefined) return { by: stopped.by };
  throw stopped.fault;
};

const moveOne = async (ports: Ports, flip: Flip, target: PublishedFunction, before: Environment): Promise<MovedOne> => {
  const { log, sequence, deploymentId } = flip;
  const fence = { sequence, deploymentId };
  try {
    const moved = await moveAlias(ports, target, ALIAS, fence, {
      highest: log.highest,
      note: (found, state) => log.note(before, target.name, found, state),
    });
    if (moved.is === "superseded") return { moves: [], cleared: [], by: moved.by };
    if (moved.is === "drifted") throw new FlipImpossible(await describeDrift(flip, target.name, moved.found));
    const from = moved.is === "moved" ? moved.from : (before.aliases.get(target.name)?.version ?? target.version);
    const move = { function: target.name, from, to: target.version, revisionId: moved.revisionId };
    return { moves: [move], cleared: moved.is === "cleared" ? [target.name] : [] };
  } catch (fault) {
    return { moves: [], cleared: [], fault };
  }
};

/** `by`: the newer sequence that took over. `unproven`: why no answer was seen; the alias was read instead. */
export type Verified = { readonly by?: number; readonly unproven?: string };

/** Asks through every alias until the new version answers, twice in a row. */
export const verifyAliases = async (ports: Ports, flip: Flip, site: SiteConfig): Promise<Verified> => {
  const verdicts = await Promise.all(flip.release.functions.map((target) => verifyOne(ports, flip, site, target)));
  const by = verdicts.find(({ by }) => by !== undefined)?.by;
  const unproven = verdicts.flatMap(({ unproven }) => unproven ?? []).join("; ");
  return { ...(by !== undefined && { by }), ...(unproven !== "" && { unproven }) };
};

const verifyOne = async (ports: Ports, flip: Flip, site: SiteConfig, target: PublishedFunction): Promise<Verified> => {
  const { functions, clock } = ports;
  const { log, release, sequence } = flip;
  const { name, version } = target;
  const asked = atOf(site, release.basePath ?? "");
  const began = clock.now();
  const left = (): number => Math.min(VERIFY_MS, Math.max(1, began + VERIFY_MS - clock.now()));
  let sure = 0;
  for (let tries = 1; tries <= VERIFY_TRIES; tries++) {
    let ran: string;
    try {
      ({ version: ran } = await functions.invoke(name, ALIAS, probeOf(target, asked, clock.now()).payload, left()));
    } catch (error) {
      if (isThrottled(error)) return readBack(ports, flip, target, noRoom(name, ALIAS));
      if (isOutOfTime(error)) return readBack(ports, flip, target, `${name}:${ALIAS} gave no answer in time`);
      throw error;
    }
    sure = ran === version ? sure + 1 : 0;
    if (sure === CONFIRMATIONS) return {};
    if (sure > 0) continue;
    const at = readFence((await functions.alias(name, ALIAS))?.description ?? "");
    if (at !== undefined && at.sequence > sequence && at.sequence <= (await log.highest())) return { by: at.sequence };
    await clock.sleep(50 * clock.random());
  }
  throw new Error(`${name} still answers with another version than ${version} through its alias "${ALIAS}"`);
};

/** Reads an alias that cannot be asked, as often as it would have to answer: it must be where this flip puts it. */
const readBack = async (
  { functions, clock }: Ports,
  { log, sequence, deploymentId }: Flip,
  target: PublishedFunction,
  unproven: string,
): Promise<Verified> => {
  const { name, version } = target;
  for (let reads = 1; reads <= CONFIRMATIONS; reads++) {
    const found = await functions.alias(name, ALIAS);
    const judged = judgeAlias(found, { sequence, deploymentId, version }, await log.highest());
    if (judged.is === "newer") return { by: judged.fence.sequence };
    if (judged.is !== "ours" || judged.weighted)
      throw new Error(`the alias "${ALIAS}" of ${name} is not at version ${version}; ${unproven}`);
    if (reads < CONFIRMATIONS) await clock.sleep(50 * clock.random());
  }
  return { unproven };
};

/**
 * Whether any alias is where this flip puts it, or one that died before it went live: what is live is put back then. What other flips
 * moved and nobody wrote down is written down.
 */
export const hasMoved = async ({ functions }: Ports, { log, release, sequence }: Flip, before: Environment): Promise<boolean> => {
  const moved = await Promise.all(
    release.functions.map(async ({ name }) => {
      const found = await functions.alias(name, ALIAS);
      const fence = found && readFence(found.description);
      // an earlier delivery may have moved it and died: no other flip comes that would write it down
      if (found !== undefined && fence !== undefined) await log.note(before, name, fence, found);
      const isPast = fence === undefined || fence.sequence <= (before.live?.sequence ?? 0) || fence.sequence > sequence;
      return !isPast && isTarget(before, fence, name, found?.version ?? "");
    }),
  );
  return moved.includes(true);
};

/** Writes down what somebody did by hand, and says how to put it back. */
const describeDrift = async ({ log }: Flip, fn: string, found: AliasState | null): Promise<string> => {
  const recorded = await log.drift(fn, found);
  if (found === null) return `${fn} has no alias "${ALIAS}": deploy the site's infrastructure again`;
  return `the alias "${ALIAS}" of ${fn} was changed by hand: ${sayDrift(recorded ?? null, found)}. Put it back, then deploy again: ${putBack(fn, ALIAS, recorded, found)}`;
};
