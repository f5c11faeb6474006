import { Hono } from "hono";
import { ListAudit } from "../../client/contract.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { isOf } from "../../domain/kernel/identity.ts";
import { earlier, MAX_CLOCK_SKEW_MS, positionAt } from "../../domain/kernel/position.ts";
import { type Audited, type AuditRow, audit } from "../../domain/projections/audit.ts";
import { unchanged } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { END } from "../../engine/log/log.ts";
import type { Naming, People } from "../../engine/people/people.ts";
import type { Waypoints } from "../../engine/views/waypoint-notes.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { environmentPast } from "./environment-past.ts";
import { momentOf } from "./moment.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

const DAY_MS = 86_400_000;
const USUAL_MS = 30 * DAY_MS;
/** Commits looked through for one answer, where a filter lets few through. */
const BATCH = 500;

/** `/v1/audit`: a page of the trail. Its rows are made from the log as it is read. */
export const auditTrail = (
  ports: Pick<Ports, "log" | "read" | "clock"> & { readonly people: Pick<People, "reading">; readonly views: Waypoints },
) => {
  const pasts = auditedPasts(ports);
  return new Hono<Env>().get("/", async (context) => {
    const { since, until, limit, cursor, bodies, ...filter } = queryOf(context, ListAudit);
    // to the end of the log, not to the present: a clock that was ahead has written behind it
    const end = until === undefined ? END : momentOf("until", until);
    const soon = positionAt(ports.clock.now() + MAX_CLOCK_SKEW_MS);
    const begin = since === undefined ? positionAt(Number(earlier(end, soon)) - USUAL_MS) : momentOf("since", since);
    if (since !== undefined && begin > end)
      throw new Problem(400, "query.invalid", 'The request is not valid. "since" is later than "until": nothing lies between them.');
    const from = cursor?.slice(0, 15) ?? begin;
    const commits = unchanged(await ports.log.read(from, end, BATCH)).filter((commit) => cursor === undefined || keyOf(commit) > cursor);

    const named = filter.actor === undefined ? (text: string) => text : await ports.people.reading();
    const rows: (AuditRow & { body?: unknown })[] = [];
    const states = new Map<string, Past>();
    let last: Commit | undefined;
    for (const commit of commits) {
      if (rows.length >= limit) break;
      last = commit;
      let state = states.get(commit.stream)?.state ?? (await pasts.take(commit));
      for (const event of eventsOf(commit)) {
        const audited = audit(state, event);
        state = audited.state;
        if (matches(audited.row, filter, named)) rows.push(bodies === undefined ? audited.row : { ...audited.row, body: event.body });
      }
      states.set(commit.stream, { version: commit.version, state });
    }
    pasts.keep(states);
    return context.json({ rows, next: last === undefined ? null : keyOf(last) });
  });
};

/** What the audit knows of a stream up to a version. */
type Past = { readonly version: number; readonly state: Audited };
/** Streams that are remembered from one page to the next: a few kilobytes each. */
const KEPT = 200;

/**
 * What the audit knows of streams right before a commit. Where a page ended is remembered for the next one: an
 * environment's stream is as long as its life, and each page would read it from its beginning.
 */
const auditedPasts = (ports: Pick<Ports, "read"> & { readonly views: Waypoints }) => {
  const environments = environmentPast(ports, "passed over");
  const kept = new Map<string, Past>();
  return {
    /** Taken away meanwhile: a state is changed in place, and another page may be read at the same time. */
    take: async ({ stream, version, position }: Commit): Promise<Audited> => {
      const known = kept.get(stream);
      kept.delete(stream);
      const from = known !== undefined && known.version < version ? known : { version: 0, state: {} };
      let { state }: { state: Audited } = from;
      if (from.version === version - 1) return state;
      if (isOf("environment", stream)) return { environment: await environments.upTo(stream, position) };
      for (const commit of await ports.read(stream, from.version, version - 1 - from.version))
        for (const event of eventsOf(commit)) state = audit(state, event).state;
      return state;
    },
    keep: (pasts: ReadonlyMap<string, Past>): void => {
      for (const [stream, past] of pasts) kept.set(stream, past);
      for (const stream of [...kept.keys()].slice(0, Math.max(0, kept.size - KEPT))) kept.delete(stream);
    },
  };
};

/** Sorts as the log does, and names one commit of it. */
const keyOf = ({ position, stream, version }: Commit): string => `${position}#${stream}#${version.toString().padStart(10, "0")}`;

type Filter = { site?: string | undefined; environment?: string | undefined; actor?: string | undefined; type?: string | undefined };
const matches = (row: AuditRow, { site, environment, actor = "", type }: Filter, named: Naming): boolean =>
  (site ?? row.site) === row.site &&
  (environment ?? row.environment) === row.environment &&
  (type ?? row.type) === row.type &&
  (row.actor.includes(actor) || named(row.actor).includes(actor));
