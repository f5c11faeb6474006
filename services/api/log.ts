import { Hono } from "hono";
import { ListEvents } from "../../client/contract.ts";
import { deploymentOf, isOf, siteOf } from "../../domain/kernel/identity.ts";
import { earlier, later, MAX_CLOCK_SKEW_MS, positionAt } from "../../domain/kernel/position.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { END } from "../../engine/log/log.ts";
import { SETTLED_MS, wholePositions } from "../../engine/log/whole-positions.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import { momentOf } from "./moment.ts";
import type { Ports } from "./ports.ts";

const DAY_MS = 86_400_000;
/** Without `since` this much of the past is read. */
const USUAL_MS = DAY_MS;
/** Of what lies ahead of every clock, a commit may appear so many positions below another: they are given again. */
const AHEAD_AGAIN = 100;
/** Commits looked through for one answer, where a filter lets few through. */
const MAX_COMMITS = 5_000;

/** `/v1/events`: the whole log in its order. */
export const log = (ports: Pick<Ports, "config" | "read" | "views" | "log" | "clock">) => {
  const see = look(ports);

  return new Hono<Env>().get("/", async (context) => {
    const { since, until, site, environment, type, limit } = queryOf(context, ListEvents);
    see.places(site, environment);
    const now = ports.clock.now();
    const begin = beginningOf(since, now);
    const ahead = positionAt(now + MAX_CLOCK_SKEW_MS);
    const settled = positionAt(now - SETTLED_MS);
    const end = until === undefined ? END : positionAt(Number(momentOf("until", until)) + 1);
    const belongs = site === undefined && environment === undefined ? () => true : placeFilter(ports, site, environment);
    const events: ReturnType<typeof eventsOf> = [];
    let looked = 0;

    /** Takes the events between two positions until the page is full, and answers up to where. */
    const take = async (since: string, until: string, far: string): Promise<{ reached: string; whole: boolean }> => {
      let from = since;
      // what is not settled is given again with the next page, so it is never cut: no page would come to its end
      const mayEnd = (): boolean => from < settled || from > far;
      const full = (): boolean => mayEnd() && events.length >= limit;
      for (;;) {
        const commits = await wholePositions(ports, from, until);
        for (const commit of commits) {
          // never only a part of those that share a position: the next page begins behind it
          if (full() && commit.position >= from) return { reached: from, whole: false };
          from = positionAt(Number(commit.position) + 1);
          looked += 1;
          if (await belongs(commit.stream)) events.push(...eventsOf(commit).filter((event) => type === undefined || event.type === type));
        }
        if (commits.length === 0) return { reached: from, whole: true };
        // an empty page means that there is nothing more, so one event at least is looked for
        if (full() || (mayEnd() && events.length > 0 && looked >= MAX_COMMITS)) return { reached: from, whole: false };
      }
    };

    if (begin.far === undefined) {
      const { reached } = await take(begin.near, end, ahead);
      if (reached <= ahead || reached === begin.near)
        return context.json({ events, next: reached < settled ? reached : later(settled, begin.near) });
      return context.json({ events, next: `${begin.near > ahead ? settled : later(settled, begin.near)}~${reached}` });
    }
    const { reached, whole } = await take(begin.near, earlier(ahead, end), ahead);
    if (!whole) return context.json({ events, next: `${reached}~${begin.far}` });
    const far = later(ahead, begin.far);
    const rest = await take(later(ahead, positionAt(Number(begin.far) - AHEAD_AGAIN)), end, far);
    return context.json({ events, next: `${reached < settled ? reached : later(settled, begin.near)}~${later(rest.reached, begin.far)}` });
  });
};

/**
 * Where reading begins. What a clock that was ahead has written stays ahead of what is written now, so a page's end has
 * two places: where the present is, and how far that was read.
 */
function beginningOf(since: string | undefined, now: number): { near: string; far?: string } {
  if (since === undefined) return { near: positionAt(now - USUAL_MS) };
  const [, near, far] = /^(\d{15})~(\d{15})$/.exec(since) ?? [];
  return near !== undefined && far !== undefined ? { near, far } : { near: momentOf("since", since) };
}

/** Whether a stream is of that site and environment; a deployment is looked up once. */
function placeFilter({ views }: Pick<Ports, "views">, site: string | undefined, environment: string | undefined) {
  const fits = (place: { site: string; environment: string } | undefined) =>
    place !== undefined && (site ?? place.site) === place.site && (environment ?? place.environment) === place.environment;
  const known = new Map<string, boolean>();
  return async (stream: string): Promise<boolean> => {
    if (isOf("environment", stream)) return fits(siteOf(stream));
    if (!isOf("deployment", stream)) return false; // a webhook endpoint belongs to no place
    const answer = known.get(stream) ?? fits(await views.deployment(deploymentOf(stream)));
    known.set(stream, answer);
    return answer;
  };
}
