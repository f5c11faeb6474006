import type { EnvironmentEvent, FlipReason } from "../environment/events.ts";
import type { Recorded } from "../kernel/event.ts";

/** One change of what was live: which release, how it got there, and what ended it. Times in ISO 8601. */
export type LiveChange = {
  /** of the environment's stream, at which it went live */
  readonly version: number;
  readonly deploymentId: string;
  readonly sequence: number;
  /** what was live before; null: nothing */
  readonly previous: string | null;
  readonly how: FlipReason;
  readonly by: string;
  /** the reason given when it was asked for; a deployment's own reason is its own */
  readonly why: string | null;
  /** what was wrong with it when it was tried, and it was forced; or why it was not seen to work */
  readonly unproven: string | null;
  readonly since: string;
  /** null: it is live now */
  readonly until: string | null;
  /** how it ended: by what went live next; null while it is live */
  readonly ended: { readonly how: FlipReason; readonly by: string; readonly why: string | null; readonly to: string } | null;
};

/**
 * What was live in an environment, newest first.
 *
 * @param events of the environment, in order; with the FlipRequested of each ReleaseWentLive, or its reason is unknown
 */
export const liveHistory = (events: readonly Recorded<EnvironmentEvent>[]): LiveChange[] => {
  const whys = new Map<number, string>();
  const changes: LiveChange[] = [];
  for (const event of events) {
    if (event.type === "FlipRequested" && event.body.why !== undefined) whys.set(event.body.sequence, event.body.why);
    if (event.type !== "ReleaseWentLive") continue;
    const { deploymentId, sequence, previous, reason: how, actor: by, unproven = null } = event.body;
    const why = whys.get(sequence) ?? null;
    const last = changes.at(-1);
    if (last !== undefined) changes[changes.length - 1] = { ...last, until: event.at, ended: { how, by, why, to: deploymentId } };
    changes.push({
      version: event.version,
      deploymentId,
      sequence,
      previous: previous?.deploymentId ?? null,
      how,
      by,
      why,
      unproven,
      since: event.at,
      until: null,
      ended: null,
    });
  }
  return changes.reverse();
};
