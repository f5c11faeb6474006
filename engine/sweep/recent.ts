import { readKnown } from "../../domain/aggregates.ts";
import type { Recent } from "../../domain/environment/verdict.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { ReadBack } from "../log/read-back.ts";
import type { Place } from "./place.ts";

/** `flips`: the numbers of all that came to nothing, each with its deployment and whether that was in the last hours. */
export type RecentFlips = Recent & { readonly flips: ReadonlyMap<number, { readonly deploymentId: string; readonly mayGoOn: boolean }> };

export type Ports = { readonly back: ReadBack; now(): number };

const HOUR = 3_600_000;
/**
 * Whoever moves aliases is ended after two minutes on AWS, also where it stands still; on one machine, that slept, it goes on where it
 * was. The log has given up on it, and hears of what it did minutes later.
 */
const STANDS_STILL_HOURS = 4;
/** So many events in a row are too old before nothing older is asked for: one may be dated by a clock that was wrong. */
const TOO_OLD = 32;

/**
 * What was live within the window, what the edge may still send visitors to, and which flips came to nothing in the last hours: read
 * back in the log as far as that, however much lies before it.
 */
export const recentOf = async (
  { back, now }: Ports,
  { site, environment, keep, skewHours }: Pick<Place, "site" | "environment" | "keep" | "skewHours">,
): Promise<RecentFlips> => {
  const ago = (hours: number): string => new Date(now() - hours * HOUR).toISOString();
  const [at, windowSince, flipsSince] = [ago(0), ago(keep.window), ago(STANDS_STILL_HOURS)];
  const oldest = ago(Math.max(keep.window, skewHours, STANDS_STILL_HOURS));
  const [inWindow, mayFlip, sentOn, ended] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()];
  const flips = new Map<number, { deploymentId: string; mayGoOn: boolean }>();
  let whenItBegan: string | undefined;
  let tooOld = 0;
  for await (const recorded of back(environmentStream(site, environment))) {
    tooOld = recorded.at < oldest ? tooOld + 1 : 0;
    if (tooOld === TOO_OLD) break;
    for (const { type, body, at: saidAt } of readKnown("environment", [recorded])) {
      switch (type) {
        case "ReleaseWentLive":
          if (saidAt < windowSince) break;
          inWindow.add(body.deploymentId);
          whenItBegan = body.previous?.deploymentId;
          break;
        case "ReleaseEnded":
          ended.add(body.release);
          break;
        case "EdgeSwitched":
          for (const { release, until } of body.ended) if (until > at && !ended.has(release)) sentOn.add(release);
          break;
        case "FlipFailed":
        case "FlipSuperseded":
          flips.set(body.sequence, { deploymentId: body.deploymentId, mayGoOn: saidAt >= flipsSince });
          if (saidAt >= flipsSince) mayFlip.add(body.deploymentId);
          break;
        default:
      }
    }
  }
  if (whenItBegan !== undefined) inWindow.add(whenItBegan);
  return { youngSince: ago(keep.days * 24), inWindow, mayFlip, sentOn, flips };
};
