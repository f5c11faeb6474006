import type { Move } from "../../domain/environment/commands.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { type Fence, type FoundAlias, isAsRecorded, isWeighted } from "../../domain/environment/fence.ts";
import { type Environment, isTarget } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import type { AliasState } from "../../engine/aws/functions.ts";
import { type Aggregates, type Because, following } from "../../engine/log/execute.ts";

export type AliasLog = ReturnType<typeof aliasLog>;

/** What one flip tells the log of aliases: moves, its own and those that an older flip left unwritten, and what a hand did. */
export const aliasLog = (aggregates: Pick<Aggregates, "environment">, event: Recorded<EnvironmentEvent>, actor: string) => {
  const { site, environment } = siteOf(event.stream);
  const record = (command: Parameters<Aggregates["environment"]["execute"]>[2], why: Because) =>
    aggregates.environment.execute(site, environment, command, why);
  const load = async (): Promise<Environment> => (await aggregates.environment.load(site, environment)).state;

  /** A flip's move of one alias, which another flip found. Every flip says it with the same cause: whoever comes first writes it. */
  const flipped = async (fence: Fence, move: Move): Promise<void> => {
    const why = { ...following(event, actor), cause: `flip/${fence.sequence}/${move.function}` };
    await record({ type: "RecordAliasFlipped", ...fence, ...move }, why);
  };

  const drifted = async (now: Environment, fn: string, found: FoundAlias | null): Promise<void> => {
    const expected = now.aliases.get(fn) ?? null;
    const seen = found && { version: found.version, description: found.description, ...(isWeighted(found) && { weights: found.weights }) };
    await record({ type: "RecordDrift", function: fn, expected, found: seen }, following(event, actor, `/drift/${fn}`));
  };

  return {
    /** The highest sequence that a flip was asked for with. Ask after an alias was read: then it covers what that says. */
    highest: async (): Promise<number> => (await load()).flipped,
    /**
     * Writes down what an alias was found to say, where the log does not know it: the move of an older flip that died
     * before it wrote so down, or what somebody did by hand. It may be overwritten right after.
     */
    note: async (before: Environment, fn: string, fence: Fence, found: AliasState): Promise<void> => {
      // what the log knew before this flip it still knows: nearly always there is nothing to load
      if (isAsRecorded(before.aliases.get(fn), found)) return;
      const now = await load();
      const known = now.aliases.get(fn);
      const isMove = fence.sequence > (known?.sequence ?? 0) && isTarget(now, fence, fn, found.version);
      const { version: to, revisionId } = found;
      if (isMove) await flipped(fence, { function: fn, from: known?.version ?? to, to, revisionId });
      if (isMove ? isWeighted(found) : !isAsRecorded(known, found)) await drifted(isMove ? await load() : now, fn, found);
    },
    /** Writes down what keeps the flip from going on, and answers where the log has put that alias. */
    drift: async (fn: string, found: FoundAlias | null) => {
      const now = await load();
      await drifted(now, fn, found);
      return now.aliases.get(fn);
    },
  };
};
