import type { Commit } from "../../domain/kernel/chain.ts";
import { commitId } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { webhook as decider } from "../../domain/webhook/decider.ts";
import type { WebhookEvent, WebhookFilters } from "../../domain/webhook/events.ts";
import { eventsOf, sha256 } from "../../engine/log/codec.ts";
import type { KeptPlace } from "../../engine/views/place-notes.ts";
import type { Posted } from "../../engine/webhooks/post.ts";
import type { EndpointSecret } from "../../engine/webhooks/webhook-secrets.ts";
import { feed } from "../../services/feed/feed.ts";
import { chained } from "./chained.ts";
import { answer, secretOf } from "./delivery-room.ts";
import { webhookId } from "./samples.ts";

export const id = webhookId(1);
export const BEGINNING = "0".repeat(15);
const BEGIN = Date.UTC(2026, 10, 23, 12);

export type Sent = { readonly id: string; readonly events: readonly Recorded[]; readonly body: string; readonly headers: object };

/** One subscription, a log that is written by hand, and a clock that only moves when it is told to. */
export function feedRoom({ from = BEGINNING, ...filters }: Partial<WebhookFilters> & { from?: string } = {}) {
  const state = decider.initial();
  const happen = (event: WebhookEvent) => void decider.evolve(state, event);
  const all: WebhookFilters = { site: null, environment: null, types: [], ...filters };
  happen({ type: "WebhookAdded", v: 1, body: { kind: "subscription", maskedUrl: "https://example.com/…", filters: all, from } });
  const commits: Commit[] = [];
  const lines = new Map<number, number>();
  const here = {
    now: BEGIN,
    state,
    happen,
    commits,
    lines,
    kept: undefined as KeptPlace | undefined,
    secret: { url: "https://example.com/hook", signing: [{ secret: secretOf(1), until: null, cause: "c" }] } as EndpointSecret | undefined,
    answer: answer(200) as Posted,
    /** what happens while a request is on its way */
    meanwhile: async (): Promise<void> => undefined,
    reads: 0,
    broken: false,
    sent: [] as Sent[],
    reports: [] as object[],
    /** what a receiver took, in the order that it came */
    taken: [] as Recorded[],
    /** Writes a commit of so many events at the clock's time, or a little before. */
    write: ({ stream = "environment/web/production", type = "EnvironmentPinned", body = {} as object, events = 1, late = 0 } = {}) => {
      const version = commits.filter((one) => one.stream === stream).length + 1;
      const at = new Date(here.now - late).toISOString();
      const text = JSON.stringify(Array.from({ length: events }, () => ({ type, v: 1, body: { reason: `n${commits.length}`, ...body } })));
      const cause = `c${commits.length}`;
      const commit = {
        stream,
        version,
        id: commitId(sha256, stream, cause),
        body: text,
        cause,
        correlation: cause,
        actor: "ada",
        origin: "",
        at,
      };
      const [one] = chained([{ ...commit, position: positionAt(here.now - late), prev: "", hash: "" }]);
      commits.push(one as Commit);
    },
    run: (manual = false) => run({ webhook: id, manual }),
    events: () => commits.flatMap(eventsOf),
  };
  const run = feed({
    aggregates: {
      webhook: {
        load: async () => ({ state: structuredClone(state), version: 1 }),
        execute: async (_id, command) => {
          const outcome = decider.decide(command, state);
          if (Array.isArray(outcome)) outcome.forEach(happen);
          return { events: [], state, version: 1 };
        },
      },
    },
    log: {
      read: async (since, until, limit = 1_000) => {
        here.reads += 1;
        if (here.broken) throw new Error("the table is away");
        return commits
          .filter(({ position }) => position >= since && position < until)
          .sort((one, other) =>
            one.position < other.position ? -1 : one.position > other.position ? 1 : one.stream < other.stream ? -1 : 1,
          )
          .slice(0, limit);
      },
    },
    first: async (stream) => commits.filter((one) => one.stream === stream).flatMap(eventsOf)[0],
    rows: {
      place: async () => here.kept,
      setPlace: async (_id, place, turn) => {
        if ((here.kept?.turn ?? 0) !== turn) return false;
        here.kept = { place: structuredClone(place), turn: turn + 1 };
        return true;
      },
      acquireSlot: async (_id, line, now, until) => {
        if ((lines.get(line) ?? 0) >= now) return false;
        lines.set(line, until);
        return true;
      },
      releaseSlot: async (_id, line) => void lines.delete(line),
    },
    secrets: { read: async () => here.secret },
    post: async (_url, headers, body) => {
      const { events } = (JSON.parse(body) as { data: { events: Recorded[] } }).data;
      here.sent.push({ id: headers["webhook-id"] ?? "", events, body, headers });
      const given = here.answer;
      await here.meanwhile();
      if (given.status === 200) here.taken.push(...events);
      return given;
    },
    clock: { now: () => here.now, random: () => 0 },
    report: (line) => void here.reports.push(line),
  });
  return here;
}
