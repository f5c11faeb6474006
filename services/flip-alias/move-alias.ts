import type { PublishedFunction } from "../../domain/deployment/shapes.ts";
import { type AliasState, type Functions, troubleOf } from "../aws/functions.ts";
import type { Clock } from "../kit/clock.ts";
import { describe, type Fence, readFence } from "../kit/fence.ts";

export type Moved =
  | { readonly is: "moved"; readonly from: string; readonly revisionId: string }
  /** an earlier delivery moved it */
  | { readonly is: "there"; readonly revisionId: string }
  | { readonly is: "superseded"; readonly by: number }
  /** somebody moved or described it by hand */
  | { readonly is: "drifted"; readonly found: { version: string; description: string } | null };

type Ports = { readonly functions: Pick<Functions, "alias" | "moveAlias">; readonly clock: Clock };

const TRIES = 30;

/**
 * Moves one alias, fenced by the sequence in its description: read, compare, write only what was read. After a refused
 * or unanswered write everything starts from a new read, since a retry of one's own success looks like a refusal too.
 * (A compare-and-set that is only retried after a plain re-read flips backwards.)
 *
 * @param seen told of every fence that is read, before anything is written
 */
export const moveAlias = async (
  { functions, clock }: Ports,
  { name, version }: Pick<PublishedFunction, "name" | "version">,
  alias: string,
  fence: Fence,
  seen: (fence: Fence, state: AliasState) => Promise<void>,
): Promise<Moved> => {
  for (let tries = 1; ; tries++) {
    const state = await functions.alias(name, alias);
    const at = state && readFence(state.description);
    if (state === undefined || at === undefined)
      return { is: "drifted", found: state === undefined ? null : { version: state.version, description: state.description } };
    if (at.sequence > fence.sequence) return { is: "superseded", by: at.sequence };
    if (at.sequence === fence.sequence)
      return state.version === version
        ? { is: "there", revisionId: state.revisionId }
        : { is: "drifted", found: { version: state.version, description: state.description } };
    await seen(at, state);
    try {
      const { revisionId } = await functions.moveAlias(name, alias, { version, description: describe(fence) }, state.revisionId);
      return { is: "moved", from: state.version, revisionId };
    } catch (error) {
      if (troubleOf(error) === "missing" || tries === TRIES) throw error;
      await clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
    }
  }
};
