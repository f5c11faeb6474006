import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { isOf, siteOf } from "../../domain/kernel/identity.ts";
import type { WebhookFilters } from "../../domain/webhook/events.ts";
import { eventsOf } from "../../engine/log/codec.ts";

/** The first event of a stream. */
export type First = (stream: string) => Promise<Recorded | undefined>;

/** @param read the commits of a stream after a version, strongly consistent */
export const firstOf =
  (read: (stream: string, after: number, limit?: number) => Promise<readonly Commit[]>): First =>
  async (stream) =>
    (await read(stream, 0, 1)).flatMap(eventsOf)[0];

type Place = { readonly site: string; readonly environment: string };

/**
 * Whether an event is one that a subscription asked for. Where a deployment belongs is read from its stream, which its row
 * may not have been made of yet: an event that was passed over because of that would be lost. Asked once a deployment.
 */
export const belongsTo = ({ site, environment, types }: WebhookFilters, first: First) => {
  const known = new Map<string, boolean>();
  const fits = (place: Place): boolean => (site ?? place.site) === place.site && (environment ?? place.environment) === place.environment;
  const isThere = async (stream: string): Promise<boolean> => {
    if (site === null && environment === null) return true;
    if (isOf("environment", stream)) return fits(siteOf(stream));
    // sessions, endpoints and dead letters belong to no place
    if (!isOf("deployment", stream)) return false;
    const answer = known.get(stream) ?? fitsRequest(await first(stream), fits);
    known.set(stream, answer);
    return answer;
  };
  return async ({ stream, type }: Recorded): Promise<boolean> => (types.length === 0 || types.includes(type)) && (await isThere(stream));
};

const fitsRequest = (queued: Recorded | undefined, fits: (place: Place) => boolean): boolean => {
  const { request } = (queued?.body ?? {}) as { readonly request?: Place };
  return request !== undefined && fits(request);
};
