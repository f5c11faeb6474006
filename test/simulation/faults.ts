import type { Theme } from "./themes.ts";
import type { Random } from "./world/random.ts";

/**
 * Everything that goes wrong, and how often where it may: a probability at each opportunity. `0` marks what is not
 * planted but comes of the rest; it is counted where it is seen.
 */
export const faultRates = {
  /** a message is delivered twice */
  duplicate: 0.06,
  /** a message overtakes an earlier one of its stream */
  reorder: 0,
  /** a message is late by up to fourteen days */
  delay: 0.015,
  "build-event-dropped": 0.25,
  "crash-before-effect": 0.004,
  "crash-after-effect": 0.004,
  "crash-before-append": 0.02,
  "crash-before-publish": 0.04,
  "store-conflict": 0,
  "store-timeout-applied": 0.02,
  "store-timeout-lost": 0.02,
  /** everything of one service is refused for a while */
  throttled: 0.002,
  /** one service answers nobody for up to an hour */
  outage: 0.04,
  /** visitors take every execution of the account for up to an hour: Lambda runs nothing else */
  flood: 0.04,
  /** 409 while an update is in progress, longer than it takes */
  "lambda-busy": 0.05,
  /** an answer is lost and the client asks again: its own first try has changed the revision */
  "own-retry-refused": 0.06,
  /** any other answer is lost, and what was asked is done */
  "answer-lost": 0.004,
  "version-failed": 0.05,
  "check-failed": 0.06,
  "stale-read": 0.03,
  "partial-put": 0.05,
  /** a snapshot is not as it was written */
  "snapshot-damaged": 0.1,
  /** all snapshots of a stream are gone, with what it handled */
  "snapshot-dropped": 0.1,
  poison: 0.015,
  /** a message is handed out again while it is still worked on */
  "visibility-ran-out": 0,
  /** a consumer stands still for longer than its messages stay hidden */
  paused: 0.003,
  "lease-holder-paused": 0.03,
  /** a machine's clock is up to ten minutes off */
  "clock-skew": 0.3,
  /** every clock is hours to four hundred days off, either way, for up to two hours */
  "clock-jump": 0.06,
  /** records of the table's stream never come */
  "stream-lost": 0.03,
  /** every dead letter of a queue is sent again, late */
  "dead-letters-redriven": 0.3,
  /** a message becomes a dead letter: every try of it failed */
  "given-up": 0.006,
  /** a dead letter is left where it is when the others are sent again */
  "letters-stay": 0.9,
  "alias-edited": 0.15,
  /** somebody sends a part of the visitors to another version */
  "alias-weighted": 0.1,
  /** somebody writes a sequence into an alias that nobody gave */
  "alias-renumbered": 0.1,
  "alias-deleted": 0.05,
  /** somebody changes or deletes an alias minutes after a flip has moved one of the set */
  "alias-edited-midway": 0.02,
  "version-deleted": 0.15,
  /** somebody deletes the URL or the alias of a release */
  "address-deleted": 0.05,
  /** somebody writes or deletes the row of what is live in the edge's table */
  "row-edited": 0.1,
  /** an operator has the tables of edges made what the log says: after a row was changed, or deleted while a flip is at work */
  "edge-replayed": 0.1,
  /** an object is replaced by another between upload and publish */
  "code-replaced": 0.02,
  "s3-conflict": 0.04,
  "s3-taken": 0,
  "s3-slow-down": 0.01,
  "build-refused": 0.05,
  "build-failed": 0.08,
  "webhook-hang": 0.04,
  "webhook-reset": 0.05,
  "webhook-redirect": 0.04,
  "webhook-429": 0.05,
  "webhook-410": 0.02,
  /** the release before or after this one handles a message */
  "mixed-versions": 0.15,
  /** a user's request is sent twice */
  "request-repeated": 0.15,
} as const;

export type FaultKind = keyof typeof faultRates;
export const faultKinds = Object.keys(faultRates) as FaultKind[];

/** What goes wrong in one world. */
export type Faults = {
  /** whether it goes wrong now; counted where it does */
  strikes(kind: FaultKind): boolean;
  /** counts what came of the rest */
  note(kind: FaultKind): void;
  /** nothing goes wrong from now on */
  stop(): void;
  /** chance of this kind alone */
  random(kind: FaultKind): Random;
  readonly counts: Readonly<Record<FaultKind, number>>;
};

/**
 * Each kind is left out of half of the worlds and is frequent in some: what always comes together hides what comes of
 * each alone.
 *
 * @param cap how often each kind strikes at most
 * @param without kinds that never strike
 * @param theme what strikes in any case, and more often
 */
export const faultsOf = (random: Random, cap: number, without: ReadonlySet<FaultKind>, theme: Theme): Faults => {
  const counts = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const planted = new Map<FaultKind, { random: Random; rate: number; most: number }>();
  for (const kind of faultKinds) {
    const own = random.fork(kind);
    const drawn = own.pick([0, 0, 0.5, 1, 1, 3]);
    const intensity = theme.faults[kind] ?? drawn;
    const most = theme.faults[kind] === undefined ? cap : cap * theme.caps;
    planted.set(kind, { random: own, rate: without.has(kind) ? 0 : faultRates[kind] * intensity, most });
  }
  let stopped = false;
  const of = (kind: FaultKind) => planted.get(kind) as { random: Random; rate: number; most: number };
  return {
    counts,
    note: (kind) => {
      counts[kind] += 1;
    },
    strikes: (kind) => {
      const { random: own, rate, most } = of(kind);
      if (stopped || rate === 0 || counts[kind] >= most || !own.chance(rate)) return false;
      counts[kind] += 1;
      return true;
    },
    stop: () => {
      stopped = true;
    },
    random: (kind) => of(kind).random,
  };
};
