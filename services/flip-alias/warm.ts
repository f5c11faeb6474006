import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { FunctionRole, Release } from "../../domain/deployment/shapes.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import type { Functions } from "../../engine/aws/functions.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { misfitOf } from "../../engine/open-next/fit.ts";
import { atOf, probeVersion } from "../../engine/open-next/probe.ts";

export type Ports = { readonly functions: Pick<Functions, "invoke">; readonly clock: Pick<Clock, "now"> };
type Named = { readonly deploymentId: string; readonly release: Release };

/** The release does not answer as it should, and it is tried once more. */
export class ProbeFailed extends Error {
  override readonly name = "ProbeFailed";
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
  /** an earlier delivery of the flip has tried it already */
  readonly again: boolean;
};

/**
 * Every version must still be there and answer; and the first visitor must not be the one who waits for a cold start.
 * What fails is tried again by the next delivery: a function that was cold, or a backend that was away for a moment, is no
 * proof. Nor is a failure that the live release shares. What the address cannot serve is not tried, forced or not.
 *
 * @returns what is wrong with a release that is forced all the same
 * @throws ProbeFailed, the first time; CannotRun
 */
export const warm = async (ports: Ports, site: SiteConfig, flip: Flip): Promise<string | undefined> => {
  const { deploymentId, live, forced, again } = flip;
  // what was live is put back whatever is declared by now
  const misfit = flip.reason === "restore" ? undefined : misfitOf(site, flip.release.functions);
  // no fault of the release: another declaration makes it fit again
  if (misfit !== undefined) throw new CannotRun(`${deploymentId} does not fit the site: ${misfit}`, false);
  const faults = await faultsOf(ports, site, flip.release);
  const failure = sentence(faults);
  if (faults.some(({ final }) => final)) throw new CannotRun(failure, true);
  if (faults.length === 0) return undefined;
  if (forced) return failure;
  if (!again) throw new ProbeFailed(failure);
  if (live === undefined) throw new CannotRun(failure, false);
  const roles = faults.map(({ role }) => role);
  const shared = await faultsOf(ports, site, live.release, roles);
  if (shared.length === 0) throw new CannotRun(failure, true);
  const help = flip.reason === "rollback" ? `; to go there all the same: shiplog rollback ${deploymentId} --force` : "";
  throw new CannotRun(
    `${failure}; what is live (${live.deploymentId}) fails too (${sentence(shared)}), so what both need may be down${help}`,
    false,
  );
};

type Fault = { readonly role: FunctionRole /** nothing but another deployment mends it */; readonly final: boolean; readonly text: string };
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
  const found = await Promise.all(
    asked.map(async (published): Promise<Fault | undefined> => {
      const { role, name, version } = published;
      try {
        const { fault, final = false } = await probeVersion(functions.invoke, published, at, clock.now());
        return fault === undefined ? undefined : { role, final, text: `${name}:${version} does not work: ${fault}` };
      } catch (error) {
        if (problemOf(error) !== "missing") throw error;
        return { role, final: true, text: `version ${version} of ${name} does not exist any more` };
      }
    }),
  );
  return found.filter((fault) => fault !== undefined);
}
