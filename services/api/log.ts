import { Hono } from "hono";
import type { Commit } from "../../domain/kernel/chain.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { eventsOf } from "../store/codec.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { ListEvents } from "./contract.ts";
import { look } from "./look.ts";
import { later } from "./moment.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

const DAY_MS = 86_400_000;
/** Without `since` this much of the past is read; further back than a year nothing is read at once. */
const USUAL_MS = DAY_MS;
const LONGEST_MS = 370 * DAY_MS;
/** A commit may appear a little below what was read already: the newest seconds are given again. */
const SETTLED_MS = 10_000;
/** Clocks differ: what another machine dates a little ahead is read as well. */
const AHEAD_MS = 60_000;
/** Commits looked through for one answer, where a filter lets few through. */
const MOST_COMMITS = 5_000;
const BATCH = 500;

/** `/v1/events`: the whole log in its order. */
export const log = (ports: Pick<Ports, "config" | "read" | "views" | "log" | "clock">) => {
  const see = look(ports);

  return new Hono<Env>().get("/", async (context) => {
    const { since, site, environment, type, limit } = queryOf(context, ListEvents);
    see.places(site, environment);
    const now = ports.clock.now();
    const end = positionAt(now + AHEAD_MS);
    const belongs = site === undefined && environment === undefined ? () => true : placeFilter(ports, site, environment);

    const events: ReturnType<typeof eventsOf> = [];
    const settled = positionAt(now - SETTLED_MS);
    let from = startOf(since, now);
    let looked = 0;
    // what is not settled is given again with the next page, so it is never cut: no page would come to its end
    const full = (): boolean => events.length >= limit && from < settled;
    for (let more = true; more; ) {
      const commits = await wholePositions(ports, from, end);
      for (const commit of commits) {
        // never only a part of those that share a position: the next page begins behind it
        if (full() && commit.position >= from) break;
        from = positionAt(Number(commit.position) + 1);
        looked += 1;
        if (await belongs(commit.stream)) events.push(...eventsOf(commit).filter((event) => type === undefined || event.type === type));
      }
      // an empty page means that there is nothing more, so one event at least is looked for
      more = commits.length > 0 && !full() && (events.length === 0 || looked < MOST_COMMITS);
    }
    return context.json({ events, next: from < settled ? from : later(settled, startOf(since, now)) });
  });
};

/** The next commits, and never only a part of those that share a position. */
async function wholePositions(ports: Pick<Ports, "log">, from: string, end: string): Promise<Commit[]> {
  const commits = await ports.log.read(from, end, BATCH);
  const last = commits.at(-1);
  if (last === undefined || commits.length < BATCH) return commits;
  const before = commits.filter(({ position }) => position < last.position);
  return [...before, ...(await ports.log.read(last.position, positionAt(Number(last.position) + 1)))];
}

function startOf(since: string | undefined, now: number): string {
  if (since === undefined) return positionAt(now - USUAL_MS);
  const at = /^\d{15}$/.test(since) ? Number(since) : /^\d{4}-\d\d-\d\d/.test(since) ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(at))
    throw new Problem(400, "query.invalid", 'The request is not valid. "since": must be an ISO 8601 time or a position of 15 digits.');
  return positionAt(Math.max(at, now - LONGEST_MS));
}

/** Whether a stream is of that site and environment; a deployment is looked up once. */
function placeFilter({ views }: Pick<Ports, "views">, site: string | undefined, environment: string | undefined) {
  const fits = (place: { site: string; environment: string } | undefined) =>
    place !== undefined && (site ?? place.site) === place.site && (environment ?? place.environment) === place.environment;
  const known = new Map<string, boolean>();
  return async (stream: string): Promise<boolean> => {
    const [kind, first = "", second = ""] = stream.split("/");
    if (kind === "environment") return fits({ site: first, environment: second });
    if (kind !== "deployment") return false; // a webhook endpoint belongs to no place
    const answer = known.get(stream) ?? fits(await views.deployment(deploymentOf(stream)));
    known.set(stream, answer);
    return answer;
  };
}
