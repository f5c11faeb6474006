import { Hono } from "hono";
import { AskDora, MAX_DORA_DAYS } from "../../client/contract.ts";
import { readKnown } from "../../domain/aggregates.ts";
import type { GitCommit } from "../../domain/deployment/shapes.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { isOf, siteOf } from "../../domain/kernel/identity.ts";
import { earlier, positionAt } from "../../domain/kernel/position.ts";
import { commitsNeeded, dora, isDecision, type Period, undecided } from "../../domain/projections/dora.ts";
import { unbroken, unchanged } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { END } from "../../engine/log/log.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import { momentOf } from "./moment.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

const DAY_MS = 86_400_000;
const USUAL_MS = 30 * DAY_MS;
/** What is read of the log at once is kept no longer than until the next: a week. */
const STRETCH_MS = 7 * DAY_MS;
/** Commits of a period, twenty a deployment: what is read well within the time and the length that an answer may have. */
const MAX_COMMITS = 100_000;
/** Commits of a stream that are read at once for what came of a deployment; it goes live with about six. */
const PAGE = 50;

type Events = Recorded<EnvironmentEvent>[];
type Reading = Pick<Ports, "config" | "read" | "views" | "log" | "clock">;

/**
 * `/v1/dora`: the figures of a period, made of the log's index of that period. Besides it reads what of each environment
 * the period does not tell: the commit of what was live before it, and of a period that has ended the commits up to the
 * next change of what was live.
 */
export const doraFigures = (ports: Reading, commitsMax = MAX_COMMITS) => {
  const see = look(ports);
  return new Hono<Env>().get("/", async (context) => {
    const { site, environment, since, until } = queryOf(context, AskDora);
    see.places(site, environment);
    const period = periodOf(since, until, ports.clock.now());
    const belongs = (stream: string): boolean => {
      if (!isOf("environment", stream)) return false;
      const place = siteOf(stream);
      return (site ?? place.site) === place.site && (environment ?? place.environment) === place.environment;
    };
    const events = await eventsOfPeriod(ports, period, belongs, commitsMax);
    const later = period.until === END ? [] : await Promise.all(undecided(events).map((place) => upToDecision(ports, place)));
    const commits = await Promise.all(
      commitsNeeded(events, period).map(async (id): Promise<[string, GitCommit | null]> => [id, await commitOf(see.deployment(id))]),
    );
    const begin = Number(period.since);
    return context.json({
      since: new Date(begin).toISOString(),
      until: new Date(begin + period.ms).toISOString(),
      site: site ?? null,
      environment: environment ?? null,
      ...dora([...events, ...later.flat()], period, new Map(commits), Date.parse),
    });
  });
};

/** @throws Problem where it is no period, or one that is too long */
const periodOf = (since: string | undefined, until: string | undefined, now: number): Period => {
  const present = positionAt(now);
  const end = until === undefined ? present : earlier(momentOf("until", until), present);
  const begin = since === undefined ? positionAt(Number(end) - USUAL_MS) : momentOf("since", since);
  if (begin >= end)
    throw new Problem(
      400,
      "query.invalid",
      'The request is not valid. "since" must be before "until" and before now: nothing lies between them.',
    );
  const ms = Number(end) - Number(begin);
  if (ms > MAX_DORA_DAYS * DAY_MS)
    throw new Problem(
      400,
      "period.large",
      `DORA figures are made of ${MAX_DORA_DAYS} days at most, and this period has ${Math.ceil(ms / DAY_MS)}. Ask for a shorter one: a later "since", or an earlier "until".`,
    );
  // up to now is to the end of the log: a clock that was ahead has written behind the present
  return { since: begin, until: end === present ? END : end, ms };
};

/** @throws Problem where the period has more commits than are read at once */
const eventsOfPeriod = async (
  { log }: Pick<Ports, "log">,
  { since, until, ms }: Period,
  belongs: (stream: string) => boolean,
  commitsMax: number,
): Promise<Events> => {
  const end = Number(since) + ms;
  const events: Events = [];
  let left = commitsMax;
  for (let from = Number(since); from < end; from += STRETCH_MS) {
    const isLast = from + STRETCH_MS >= end;
    const commits = await log.read(positionAt(from), isLast ? until : positionAt(from + STRETCH_MS), left + 1);
    left -= commits.length;
    if (left < 0)
      throw new Problem(
        400,
        "period.large",
        `The log of this period has more than ${commitsMax} commits, of which no figures are made at once. Ask for a shorter one: a later "since", or an earlier "until".`,
      );
    events.push(...unchanged(commits.filter(({ stream }) => belongs(stream))).flatMap(environmentEvents));
  }
  return events;
};

/** What an environment's stream has behind a version, no further than it is known what came of the deployment before. */
const upToDecision = async (
  { read }: Pick<Ports, "read">,
  { stream, version }: { readonly stream: string; readonly version: number },
): Promise<Events> => {
  const events: Events = [];
  for (let after = version; ; ) {
    const commits = await unbroken(read)(stream, after, PAGE);
    events.push(...commits.flatMap(environmentEvents));
    const last = commits.at(-1);
    if (last === undefined || events.some(isDecision)) return events;
    after = last.version;
  }
};

const environmentEvents = (commit: Commit): Events => readKnown("environment", eventsOf(commit));

/** A deployment that the log does not have any more has no commit that could be counted. */
const commitOf = (found: Promise<{ readonly commit: GitCommit | null }>): Promise<GitCommit | null> =>
  found.then(
    ({ commit }) => commit,
    (error: unknown) => {
      if (error instanceof Problem) return null;
      throw error;
    },
  );
