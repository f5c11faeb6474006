import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { FunctionRole, PublishedFunction, Release } from "../../domain/deployment/shapes.ts";
import { isOutOfTime, isThrottled, problemOf } from "../../engine/aws/errors.ts";
import type { Functions } from "../../engine/aws/functions.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { misfitOf } from "../../engine/open-next/fit.ts";
import { admits } from "../../engine/open-next/guard.ts";
import { atOf, KEY_UNKNOWN, probeVersion } from "../../engine/open-next/probe.ts";

export type Ports = { readonly functions: Pick<Functions, "invoke" | "get">; readonly clock: Pick<Clock, "now"> };
type Named = { readonly deploymentId: string; readonly release: Release };

/** The release does not answer as it should, and it is tried once more. */
export class ProbeFailed extends Error {
  override readonly name = "ProbeFailed";
}

/** Lambda had no room to run the release: nothing is known of it yet. */
export class ProbeThrottled extends Error {
  override readonly name = "ProbeThrottled";
}

/** The release cannot go live. `unfit`: it is the release itself, and not what both it and the live one need. */
export class CannotRun extends Error {
  override readonly name = "CannotRun";
  readonly unfit: boolean;
  constructor(message: string, unfit: boolean, options?: ErrorOptions) {
    super(message, options);
    this.unfit = unfit;
  }
}

type Flip = Named & {
  readonly live: Named | undefined;
  readonly reason: string;
  /** a person wants it whatever it answers */
  readonly forced: boolean;
  /** an earlier delivery of the flip asked it already, and it failed */
  readonly again: boolean;
  /** an earlier delivery found no room to run it */
  readonly throttledBefore: boolean;
};

/** All answers of one release are in by then: two releases are asked, or one is asked and verified, within a delivery. */
export const ASK_MS = 45_000;
/** To what was live before. */
const BACK = new Set(["rollback", "restore"]);

/**
 * Every version must still be there and answer; and the first visitor must not be the one who waits for a cold start.
 * What fails is tried again by the next delivery: a function that was cold, or a backend that was away for a moment, is no
 * proof. Nor is a failure that the live release shares. What the address cannot serve is not tried, forced or not.
 * What was live before waits for no flood to end: where Lambda has no room to run it a second time, it goes on unproven.
 *
 * @returns what is wrong with, or not known of, a release that goes on all the same
 * @throws ProbeFailed, the first time; ProbeThrottled; CannotRun
 */
export const warm = async (ports: Ports, site: SiteConfig, flip: Flip): Promise<string | undefined> => {
  const { deploymentId, live, forced, again } = flip;
  // what was live is put back whatever is declared by now
  const misfit = flip.reason === "restore" ? undefined : misfitOf(site, flip.release.functions);
  // no fault of the release: another declaration makes it fit again
  if (misfit !== undefined) throw new CannotRun(`${deploymentId} does not fit the site: ${misfit}`, false);
  const faults = await faultsOf(ports, site, flip.release);
  if (faults.some(({ final }) => final)) throw new CannotRun(sentence(faults), true);
  if (faults.length === 0) return undefined;
  const proven = faults.filter(({ throttled }) => throttled === undefined);
  if (proven.length === 0) return unasked(flip, faults);
  if (forced) return sentence(faults);
  const failure = sentence(proven);
  if (!again) throw new ProbeFailed(failure);
  if (live === undefined) throw new CannotRun(failure, false);
  const roles = proven.map(({ role }) => role);
  const shared = await faultsOf(ports, site, live.release, roles);
  if (shared.length === 0) throw new CannotRun(failure, true);
  const help = flip.reason === "rollback" ? `; to go there all the same: shiplog rollback ${deploymentId} --force` : "";
  const says = shared.every(({ throttled }) => throttled !== undefined)
    ? `is not known to do better (${sentence(shared)})`
    : `fails too (${sentence(shared)}), so what both need may be down`;
  throw new CannotRun(`${failure}; what is live (${live.deploymentId}) ${says}${help}`, false);
};

type Fault = {
  readonly role: FunctionRole;
  /** nothing but another deployment mends it */
  readonly final: boolean;
  /** it was not asked: what Lambda said instead */
  readonly throttled?: unknown;
  readonly text: string;
};
/** Nothing speaks against it. What never was live is asked until it answers. */
const unasked = ({ reason, throttledBefore }: Flip, faults: readonly Fault[]): string => {
  if (BACK.has(reason) && throttledBefore) return sentence(faults);
  throw new ProbeThrottled(sentence(faults), { cause: faults[0]?.throttled });
};
/** What is said of a version, or of an alias, that there was no room to run. */
export const noRoom = (name: string, qualifier: string): string =>
  `Lambda refused to run ${name}:${qualifier}: the executions of the account are used up`;
const sentence = (faults: readonly Fault[]): string => faults.map(({ text }) => text).join("; ");

/** What is wrong with the functions of a release, of some roles where they are given. */
async function faultsOf(
  { functions, clock }: Ports,
  site: SiteConfig,
  release: Release,
  roles?: readonly FunctionRole[],
): Promise<Fault[]> {
  const asked = release.functions.filter(({ role }) => roles?.includes(role) ?? true);
  const at = atOf(site, release.basePath ?? "");
  const began = clock.now();
  /** A clock that was set back gives no more time. */
  const left = (): number => Math.min(ASK_MS, Math.max(1, began + ASK_MS - clock.now()));
  const invoke: Functions["invoke"] = (name, version, payload) => functions.invoke(name, version, payload, left());
  const found = await Promise.all(
    asked.map(async (published): Promise<Fault | undefined> => {
      const { role, name, version } = published;
      try {
        const { fault, final = false } = await probeVersion(invoke, published, at, clock.now());
        return fault === undefined ? undefined : { role, final, text: `${name}:${version} does not work: ${fault}` };
      } catch (error) {
        if (problemOf(error) === "missing") return gone(published);
        if (isOutOfTime(error)) return { role, final: false, text: `${name}:${version} does not work: it gave no answer in time` };
        if (!isThrottled(error)) throw error;
        return throttledFault(functions, site, published, error);
      }
    }),
  );
  return found.filter((fault) => fault !== undefined);
}

const gone = ({ role, name, version }: PublishedFunction): Fault => ({
  role,
  final: true,
  text: `version ${version} of ${name} does not exist any more`,
});

/** What its configuration says of a version that cannot be asked. */
const throttledFault = async (
  { get }: Pick<Functions, "get">,
  { originKeys }: SiteConfig,
  published: PublishedFunction,
  throttled: unknown,
): Promise<Fault> => {
  const { role, name, version } = published;
  const found = await get(name, version);
  if (found === undefined) return gone(published);
  if (!admits(found, originKeys)) return { role, final: true, text: `${name}:${version} does not work: ${KEY_UNKNOWN}` };
  if (found.state === "Failed") return { role, final: false, text: `${name}:${version} does not work: ${found.reason}` };
  return { role, final: false, throttled, text: noRoom(name, version) };
};
