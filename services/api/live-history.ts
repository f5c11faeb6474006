import { Hono } from "hono";
import type { z } from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { type HistoryEntry, ListHistory } from "../../client/contract.ts";
import { readKnown } from "../../domain/aggregates.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { type LiveChange, liveHistory } from "../../domain/projections/live-history.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { NEWEST } from "../../engine/log/read-back.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { environmentPast } from "./environment-past.ts";
import { type Look, look } from "./look.ts";
import { momentOf } from "./moment.ts";
import type { Ports } from "./ports.ts";

/** A release goes live with about six commits. */
const PAGE = 100;

/** `/v1/environments/:site/:environment/history` */
export const liveHistories = (ports: Pick<Ports, "config" | "read" | "readBack" | "views" | "clock">) => {
  const see = look(ports);
  return new Hono<Env>().get("/:site/:environment/history", async (context) => {
    const { before, limit, at } = queryOf(context, ListHistory);
    const moment = at === undefined ? undefined : momentOf("at", at);
    const place = see.place(context.req.param("site"), context.req.param("environment"));
    const { changes, isWhole } = await changesBefore(ports, place, { before, limit, moment });
    const asked = await askedFor(ports, see, changes);
    const entries = changes.map((change) => entryOf(change, asked, moment === undefined ? ports.clock.now() : Number(moment)));
    return context.json({ changes: entries, next: isWhole ? null : (changes.at(-1)?.version ?? null) });
  });
};

/** `moment`: a position, behind which nothing had happened yet */
type Wanted = { readonly before: number | undefined; readonly limit: number; readonly moment: string | undefined };

/** The changes before a version of the stream, newest first. The stream is read backwards, and no further than they go. */
async function changesBefore(
  { readBack, ...ports }: Pick<Ports, "read" | "readBack" | "views">,
  { site, environment }: SiteConfig,
  { before, limit, moment }: Wanted,
): Promise<{ changes: LiveChange[]; isWhole: boolean }> {
  const stream = environmentStream(site, environment);
  const commits: Commit[] = [];
  // the change at `before` itself is read too: it is how the one before it ended
  for (let end = before === undefined ? await newestAt(ports, stream, moment) : before + 1; ; ) {
    const older = await readBack(stream, end, PAGE);
    commits.push(...older);
    const then = commits.filter(({ position }) => moment === undefined || position <= moment);
    const events = then.toReversed().flatMap(environmentEvents);
    const changes = liveHistory(events).filter(({ version }) => before === undefined || version < before);
    const shown = changes.slice(0, limit);
    const last = older.at(-1);
    if (last === undefined || last.version === 1) return { changes: shown, isWhole: changes.length <= limit };
    if (changes.length > limit && shown.every(({ sequence }) => isRequested(events, sequence))) return { changes: shown, isWhole: false };
    end = last.version;
  }
}

const newestAt = async (ports: Pick<Ports, "read" | "views">, stream: string, moment: string | undefined): Promise<number> =>
  moment === undefined ? NEWEST : environmentPast(ports).above(stream, moment);

const environmentEvents = (commit: Commit): Recorded<EnvironmentEvent>[] => readKnown("environment", eventsOf(commit));

const isRequested = (events: readonly Recorded<EnvironmentEvent>[], sequence: number): boolean =>
  events.some((event) => event.type === "FlipRequested" && event.body.sequence === sequence);

type Asked = Pick<DeploymentView, "commit" | "why">;

/** What each deployment was asked for with, which its row has from the first: one that was never projected is folded. */
async function askedFor({ views }: Pick<Ports, "views">, see: Look, changes: readonly LiveChange[]): Promise<ReadonlyMap<string, Asked>> {
  const ids = [...new Set(changes.map(({ deploymentId }) => deploymentId))];
  const rows = await views.deploymentsOf(ids);
  const known = new Set(rows.map(({ id }) => id));
  const others = await Promise.all(ids.filter((id) => !known.has(id)).map(see.deployment));
  return new Map([...rows, ...others].map((view) => [view.id, view]));
}

function entryOf({ version: _, ...change }: LiveChange, asked: ReadonlyMap<string, Asked>, now: number): z.input<typeof HistoryEntry> {
  const { commit = null, why = null } = asked.get(change.deploymentId) ?? {};
  const ms = Math.max(0, (change.until === null ? now : Date.parse(change.until)) - Date.parse(change.since));
  return { ...change, why: change.how === "deploy" ? why : change.why, ms, commit };
}
