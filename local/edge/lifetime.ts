import CachePolicy from "http-cache-semantics";
import type { Answer } from "./answer.ts";

/** How long an answer may be kept, in seconds: `fresh` as it is, then `stale` while it is fetched again. */
export type Lifetime = { readonly fresh: number; readonly stale: number };

/**
 * How long CloudFront keeps an answer to GET; `undefined`: not at all.
 *
 * - A behaviour's longest time holds for how long it is fresh, and again for how long it is stale.
 * - Only what the answer itself allows is kept: the behaviours have a default of 0, and no guess is made from `last-modified`.
 *   So an error that says nothing is not kept either, where CloudFront keeps it for 10 s: a test would wait for that.
 * - What the visitor says (`cache-control`, `pragma`, `authorization`) makes no difference: no cache key has it.
 * - `set-cookie` is kept and given to everybody, as CloudFront does it: what guards functions (`engine/open-next/guard.ts`) lets none
 *   of their answers with one be kept.
 * - `vary` says nothing: what answers are kept apart by stands in the behaviour.
 */
export const lifetimeOf = ({ status, headers }: Pick<Answer, "status" | "headers">, maxSeconds: number): Lifetime | undefined => {
  const said = Object.fromEntries(headers.filter(([name]) => name !== "set-cookie"));
  const policy = new CachePolicy(
    { method: "GET", url: "/", headers: {} },
    { status, headers: said },
    { shared: true, cacheHeuristic: 0, immutableMinTimeToLive: 0 },
  );
  const age = Number(said.age) || 0;
  const fresh = Math.min(policy.maxAge(), maxSeconds) - age;
  const stale = Math.min(Number(/(?:^|[,\s])stale-while-revalidate=(\d+)/.exec(said["cache-control"] ?? "")?.[1] ?? 0), maxSeconds);
  return policy.storable() && policy.maxAge() > 0 && fresh + stale > 0 ? { fresh, stale } : undefined;
};
