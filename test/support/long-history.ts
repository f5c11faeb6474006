import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { type Decider, isRefusal } from "../../domain/kernel/decider.ts";
import type { AnyEvent } from "../../domain/kernel/event.ts";
import { nextPosition } from "../../domain/kernel/position.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { type Random, randomOf } from "../simulation/world/random.ts";
import { place } from "./long-history/place.ts";
import { webhooks } from "./long-history/webhooks.ts";

/** The first morning of the history. */
export const BEGINNING = Date.UTC(2026, 10, 2, 8);

export type Plan = {
  readonly seed: number;
  /** the history ends with the commit that brings it to so many events, or a few more */
  readonly events: number;
  readonly sites: readonly string[];
  readonly environments: readonly string[];
  /** milliseconds that pass from one commit to the next, in the middle */
  readonly pace?: number;
};

export const usualPlan = (seed: number, events: number): Plan => ({
  seed,
  events,
  sites: ["web", "shop", "docs", "admin", "blog", "status"],
  environments: ["production", "preview", "staging"],
});

/** What the people and machines of a history have at hand. */
export type Stage = {
  readonly random: Random;
  /** milliseconds since 1970, of the next commit */
  now(): number;
  /** Asks one aggregate; what it decided is committed. Empty where it was already so or refused. */
  ask<C, S, E extends AnyEvent>(of: Actor<C, S, E>, command: C, because: Because): readonly E[];
};
export type Because = { readonly actor: string; readonly origin?: string; readonly correlation: string };
/** One stream with its state, for as long as anybody asks it something. */
export type Actor<C, S, E> = { readonly stream: string; readonly decider: Decider<C, S, E>; state: S; last: Commit | undefined };
export const actor = <C, S, E>(stream: string, decider: Decider<C, S, E>): Actor<C, S, E> => ({
  stream,
  decider,
  state: decider.initial(),
  last: undefined,
});

/** Something that goes on step by step, beside others. Each `next` is one step. */
export type Story = Generator<void>;

/**
 * A believable history, the same for the same seed: teams that deploy several sites at once, builds and checks that fail,
 * cancels, rollbacks with their pins, locks, drift, webhooks. Every event was decided by the rules; commits come in the
 * order in which they were written, which is the log's but for a few milliseconds. Memory holds what is under way.
 */
export function* longHistory({ seed, events, sites, environments, pace = 8_000 }: Plan): Generator<Commit> {
  const random = randomOf(seed);
  let now = BEGINNING;
  let written = 0;
  let commands = 0;
  let fresh: Commit[] = [];

  const stage: Stage = {
    random,
    now: () => now,
    ask: (of, command, { actor, origin = "", correlation }) => {
      const decided = of.decider.decide(command, of.state);
      if (isRefusal(decided) || decided.length === 0) return [];
      commands += 1;
      const { last, stream } = of;
      const cause = `cmd_${seed}_${commands}`;
      const commit = {
        stream,
        version: (last?.version ?? 0) + 1,
        id: commitId(sha256, stream, cause),
        body: JSON.stringify(decided.map(({ type, v, body }) => ({ type, v, body }))),
        cause,
        correlation,
        actor,
        origin,
        at: new Date(now).toISOString(),
        position: nextPosition(now, last?.position, undefined),
        prev: last?.hash ?? "",
      };
      of.last = { ...commit, hash: commitHash(sha256, commit) };
      for (const event of decided) of.state = of.decider.evolve(of.state, event);
      fresh.push(of.last);
      written += decided.length;
      now += Math.ceil(random.spread(pace / 10, pace * 3));
      return decided;
    },
  };

  const stories: Story[] = [webhooks(stage)];
  for (const site of sites) for (const environment of environments) stories.push(place(stage, site, environment));
  while (written < events) {
    random.pick(stories).next();
    yield* fresh;
    fresh = [];
  }
}
