import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 100;

/**
 * Looks again and again until there is something to see, and gives it. A test waits for what it needs, never for a time.
 *
 * @param look gives what was waited for; `undefined` or `false` where it is not there yet
 * @param what is waited for, for the message
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 90_000,
): Promise<T> {
  for (const end = Date.now() + withinMs; ; await sleep(EVERY_MS)) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}`);
  }
}
