import type { LambdaCalls } from "../account-limits.ts";
import { tooManyCalls } from "./refusals.ts";

/**
 * Counts the calls of Lambda's API against what the account may make in a second. What was not used is kept for a second.
 *
 * @param now milliseconds of a clock that never goes back
 * @returns what is asked before each call; it throws AwsError (429)
 */
export const callRate = (limits: LambdaCalls | undefined, now: () => number): ((operation: string) => void) => {
  if (limits === undefined) return () => {};
  const getFunction = openBucket(limits.getFunction, now);
  const rest = openBucket(limits.rest, now);
  return (operation) => {
    // what is limited of an invocation is how many run at once
    if (operation === "Invoke") return;
    const take = operation === "GetFunction" ? getFunction : rest;
    if (!take()) throw tooManyCalls();
  };
};

/** As many at once as it gives in a second, and then that many a second. */
const openBucket = (perSecond: number, now: () => number): (() => boolean) => {
  let left = perSecond;
  let since = now();
  return () => {
    const at = now();
    left = Math.min(perSecond, left + ((at - since) / 1_000) * perSecond);
    since = at;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
};
