import type { PublishedFunction } from "../../domain/deployment/shapes.ts";
import { describe, type Fence, judgeAlias, readFence } from "../../domain/environment/fence.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import type { AliasState, Functions } from "../../engine/aws/functions.ts";
import type { Clock } from "../../engine/kit/clock.ts";

export type Moved =
  | { readonly is: "moved"; readonly from: string; readonly revisionId: string }
  /** an earlier delivery moved it */
  | { readonly is: "there"; readonly revisionId: string }
  /** an earlier delivery moved it, and somebody had put weights on it since: they are gone */
  | { readonly is: "cleared"; readonly revisionId: string }
  | { readonly is: "superseded"; readonly by: number }
  /** it says what no flip wrote there */
  | { readonly is: "drifted"; readonly found: AliasState | null };

type Ports = { readonly functions: Pick<Functions, "alias" | "moveAlias">; readonly clock: Clock };
type Log = {
  /** the highest sequence that a flip was asked for with; asked after the alias was read */
  highest(): Promise<number>;
  /** told of what is there, before it is overwritten */
  note(fence: Fence, state: AliasState): Promise<void>;
};

const TRIES = 30;

/**
 * Moves one alias, fenced by the sequence in its description: read, compare, write only what was read. After a refused
 * or unanswered write everything starts from a new read, since a retry of one's own success looks like a refusal too.
 * (A compare-and-set that is only retried after a plain re-read flips backwards.)
 */
export const moveAlias = async (
  { functions, clock }: Ports,
  { name, version }: Pick<PublishedFunction, "name" | "version">,
  alias: string,
  fence: Fence,
  log: Log,
): Promise<Moved> => {
  for (let tries = 1; ; tries++) {
    const state = await functions.alias(name, alias);
    const isAbove = ((state && readFence(state.description))?.sequence ?? 0) > fence.sequence;
    const judged = judgeAlias(state, { ...fence, version }, isAbove ? await log.highest() : fence.sequence);
    if (state === undefined || judged.is === "drift") return { is: "drifted", found: state ?? null };
    if (judged.is === "newer") return { is: "superseded", by: judged.fence.sequence };
    if (judged.is === "ours" && !judged.weighted) return { is: "there", revisionId: state.revisionId };
    await log.note(judged.fence, state);
    try {
      // without weights, whatever is there: UpdateAlias alone would leave them
      const { revisionId } = await functions.moveAlias(name, alias, { version, description: describe(fence) }, state.revisionId);
      return judged.is === "ours" ? { is: "cleared", revisionId } : { is: "moved", from: state.version, revisionId };
    } catch (error) {
      if (problemOf(error) === "missing" || tries === TRIES) throw error;
      await clock.sleep(Math.min(20 * 2 ** tries, 1_000) * clock.random());
    }
  }
};
