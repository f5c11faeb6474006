import * as z from "zod";
import { BUILD_GRACE_MS, DEADLINE_MS, NUDGE_MS } from "../deployment/limits.ts";
import { counted } from "../kernel/counted.ts";
import { deploymentStream } from "../kernel/identity.ts";
import type { Forecast } from "./code-storage.ts";
import type { DeploymentView } from "./views.ts";

/** What is looked at, in the order in which one thing leads to the next. */
export const HealthPart = z.enum(["relay", "projections", "reconciler", "dead-letters", "steps", "waiting", "seals", "code-storage"]);
export type HealthPart = z.infer<typeof HealthPart>;
/** `late`: it may still come by itself. `wrong`: it will not, or should have long ago. */
export const HealthState = z.enum(["ok", "late", "wrong"]);
export type HealthState = z.infer<typeof HealthState>;

export const EngineFinding = z.object({
  part: HealthPart,
  state: HealthState,
  /** one sentence for a person */
  says: z.string(),
  /** the command that goes on from here; null where nothing is to be done */
  next: z.string().nullable(),
  /** the stream that it speaks of, where it is one; null: none, or several */
  about: z.string().nullable(),
});
export type EngineFinding = z.infer<typeof EngineFinding>;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A commit is on the bus, and in its row, within a second or two; a cold start and a retry fit in here. */
const LAG_LATE_MS = 30 * SECOND;
/** The mender looks every two minutes at what is older than two: by then it had two turns. */
const LAG_WRONG_MS = 6 * MINUTE;
/** The reconciler runs every two minutes, for two at most. */
const RUN_LATE_MS = 5 * MINUTE;
const RUN_WRONG_MS = 15 * MINUTE;
/** What is due is sent every minute. */
const DUE_LATE_MS = 3 * MINUTE;
const DUE_WRONG_MS = 15 * MINUTE;
/** Once on each day, by a timer that comes every hour: the longest between two is nearly two days. */
const SEAL_LATE_MS = 49 * HOUR;
const SEAL_WRONG_MS = 73 * HOUR;
/** Before the first seal, that timer's next turn is awaited. */
const FIRST_SEAL_LATE_MS = 2 * HOUR;

const DOCTOR = "shiplog doctor";
const ok = (part: HealthPart, says: string): EngineFinding => ({ part, state: "ok", says, next: null, about: null });

/** `late` and `wrong` are where the limits end, in milliseconds. */
const stateOf = (age: number, late: number, wrong: number): HealthState => (age > wrong ? "wrong" : age > late ? "late" : "ok");

/** `3 h`, `12 min`, `4 s`. */
const lasting = (ms: number): string => {
  if (ms >= 48 * HOUR) return `${Math.floor(ms / (24 * HOUR))} days`;
  if (ms >= HOUR) return `${Math.floor(ms / HOUR)} h`;
  return ms >= MINUTE ? `${Math.floor(ms / MINUTE)} min` : `${Math.max(0, Math.floor(ms / SECOND))} s`;
};

/** A stream of which something was not passed on. `ageMs`: how long the first of that waits. */
export type Behind = { readonly stream: string; readonly ageMs: number };
/** @param looked how many streams were looked at */
export type Lag = { readonly behind: readonly Behind[]; readonly looked: number };

const LAGS = {
  relay: { ok: "on the bus", not: "have events that are not on the bus", one: "has events that are not on the bus" },
  projections: {
    ok: "in their rows",
    not: "have events on the bus that their rows have not read",
    one: "has events on the bus that its row has not read",
  },
} as const;

/** How far the relay is behind the log, or the rows behind the bus: by the one that waits longest. */
export const lagHealth = (part: keyof typeof LAGS, { behind, looked }: Lag): EngineFinding => {
  const words = LAGS[part];
  const [oldest] = [...behind].sort((a, b) => b.ageMs - a.ageMs);
  const age = oldest?.ageMs ?? 0;
  const state = stateOf(age, LAG_LATE_MS, LAG_WRONG_MS);
  if (oldest === undefined) return ok(part, `Everything of the ${looked} streams that were looked at is ${words.ok}.`);
  const about = oldest.stream;
  const waits = `since ${lasting(age)}`;
  const says =
    behind.length === 1
      ? `${about} ${words.one}, ${waits}.`
      : `${behind.length} of ${looked} streams ${words.not}; ${about} ${waits}, the longest.`;
  return { part, state, says, next: state === "ok" ? null : DOCTOR, about };
};

/** Whether the reconciler runs. @param age how long ago it found the whole log passed on, in milliseconds; `undefined`: never */
export const reconcilerHealth = (age: number | undefined): EngineFinding => {
  if (age === undefined)
    return {
      part: "reconciler",
      state: "late",
      says: "It was not seen to run yet; it comes every two minutes.",
      next: DOCTOR,
      about: null,
    };
  const state = stateOf(age, RUN_LATE_MS, RUN_WRONG_MS);
  if (state === "ok") return ok("reconciler", `It looked through the log ${lasting(age)} ago.`);
  const says = `It looked through the log ${lasting(age)} ago, and comes every two minutes: what is lost on its way stays lost until it runs.`;
  return { part: "reconciler", state, says, next: DOCTOR, about: null };
};

/** `ofSite`: a page that a site's revalidation could not confirm, which is no fault of the engine's. */
export type LetterSeen = { readonly consumer: string; readonly ageMs: number | null; readonly ofSite: boolean };

/** @param unread consumers whose queue of dead letters is gone */
export const lettersHealth = (letters: readonly LetterSeen[], unread: readonly string[]): EngineFinding => {
  const part = "dead-letters";
  const own = letters.filter(({ ofSite }) => !ofSite);
  const pages = letters.length - own.length;
  const rest = pages === 0 ? "" : ` Sites could not confirm ${counted(pages, "page")}, by which nothing is lost.`;
  const gone = unread.length === 0 ? "" : ` The queue of dead letters of ${unread.join(", ")} is gone.`;
  const next = unread.length > 0 ? DOCTOR : "shiplog quarantine ls";
  if (own.length === 0 && gone !== "") return { part, state: "wrong", says: `${gone.trim()}${rest}`, next, about: null };
  if (own.length === 0) return ok(part, `Every message found a consumer that could take it.${rest}`);
  const count = new Map<string, number>();
  for (const { consumer } of own) count.set(consumer, (count.get(consumer) ?? 0) + 1);
  const each = [...count].map(([consumer, number]) => `${consumer} ${number}`).join(", ");
  const oldest = Math.max(...own.map(({ ageMs }) => ageMs ?? 0));
  const since = oldest <= 0 ? "" : `, the oldest since ${lasting(oldest)}`;
  return {
    part,
    state: "wrong",
    says: `${counted(own.length, "message")} could not be taken: ${each}${since}.${gone}${rest}`,
    next,
    about: null,
  };
};

export type StepSeen = Pick<DeploymentView, "id" | "site" | "environment" | "status" | "reason" | "release"> & {
  /** how long it is where it is */
  readonly ageMs: number;
  /** its build's own time limit */
  readonly buildTimeoutMinutes: number;
};

/** From when a step is late, and from when the reconciler ends it, in milliseconds; it ends no cancelling. */
const limitsOf = ({ status, reason, release, buildTimeoutMinutes }: StepSeen): { late: number; wrong: number } => {
  const build = buildTimeoutMinutes * MINUTE + BUILD_GRACE_MS;
  switch (status) {
    case "queued":
      // it says why it waits: for room, and is asked for again by itself
      return { late: reason === null ? NUDGE_MS.queued : DEADLINE_MS.queued, wrong: DEADLINE_MS.queued };
    case "building":
      return { late: build, wrong: build };
    case "built":
      return { late: NUDGE_MS.built, wrong: DEADLINE_MS.built };
    case "deploying":
      return { late: release === null ? NUDGE_MS.deploying : NUDGE_MS.built, wrong: DEADLINE_MS.deploying };
    case "cancelling":
      return { late: NUDGE_MS.cancelling, wrong: build };
    default:
      return { late: Number.POSITIVE_INFINITY, wrong: Number.POSITIVE_INFINITY };
  }
};

const WORST = { ok: 0, late: 1, wrong: 2 } as const;
/** The worst of several; `ok` where there are none. */
export const worstOf = (states: readonly HealthState[]): HealthState =>
  states.reduce((worst, state) => (WORST[state] > WORST[worst] ? state : worst), "ok");

/** The worst step of what has not ended, the oldest of these; what is held waits for a person, for as long as that takes. */
export const stepsHealth = (active: readonly StepSeen[]): EngineFinding => {
  const steps = active
    .filter(({ status }) => status !== "held")
    .map((step) => {
      const { late, wrong } = limitsOf(step);
      return { ...step, wrong, state: stateOf(step.ageMs, late, wrong) };
    })
    .sort((a, b) => WORST[b.state] - WORST[a.state] || b.ageMs - a.ageMs);
  const [step] = steps;
  const held = active.length - steps.length;
  const waits = held === 0 ? "" : ` ${held} held for a person.`;
  if (step === undefined) return ok("steps", `Nothing is on its way.${waits}`);
  const words = `${step.site}/${step.environment} is ${step.status} since ${lasting(step.ageMs)}`;
  const verdict = {
    ok: "within its time",
    late: `later than usual: it is sent on again, and ended after ${lasting(step.wrong)}`,
    wrong: `overdue: its time was ${lasting(step.wrong)}`,
  }[step.state];
  const more = steps.length === 1 ? "" : ` ${steps.length} are on their way.`;
  return {
    part: "steps",
    state: step.state,
    says: `${words}, ${verdict}.${more}${waits}`,
    next: step.state === "ok" ? null : `shiplog inspect ${step.id}`,
    about: deploymentStream(step.id),
  };
};

/** @param age since when the message is due that is due first, in milliseconds, below 0 where it is not yet; `undefined`: none waits */
export const waitingHealth = (age: number | undefined): EngineFinding => {
  if (age === undefined) return ok("waiting", "No message waits for a time of its own.");
  const state = stateOf(age, DUE_LATE_MS, DUE_WRONG_MS);
  if (age <= 0) return ok("waiting", `The next message that waits is due in ${lasting(-age)}.`);
  const says = `A message that waits is due since ${lasting(age)}; what is due is sent every minute.`;
  return { part: "waiting", state, says, next: state === "ok" ? null : DOCTOR, about: null };
};

export type SealSeen = {
  /** how long ago, in milliseconds; null where nothing was ever sealed */
  readonly sealedMs: number | null;
  /** how long ago the log's first event was, looked for where nothing was sealed; null: there is none, or a seal */
  readonly beganMs: number | null;
  /** streams that have something in no seal, of which no more than `counted` are counted */
  readonly unsealed: number;
  readonly counted: number;
};

/** The newest seal, and what is in none. */
export const sealsHealth = ({ sealedMs, beganMs, unsealed, counted: most }: SealSeen): EngineFinding => {
  const open =
    unsealed === 0
      ? "Everything is sealed."
      : `${unsealed >= most ? `${most} streams or more` : counted(unsealed, "stream")} with something in no seal.`;
  const age = sealedMs ?? beganMs;
  if (age === null) return ok("seals", "The log is empty: there is nothing to seal.");
  const state = sealedMs === null ? stateOf(age, FIRST_SEAL_LATE_MS, SEAL_LATE_MS) : stateOf(age, SEAL_LATE_MS, SEAL_WRONG_MS);
  const newest =
    sealedMs === null ? `Nothing was sealed yet, and the log began ${lasting(age)} ago.` : `The newest seal is of ${lasting(age)} ago.`;
  return { part: "seals", state, says: `${newest} ${open}`, next: state === "ok" ? null : "shiplog audit seal", about: null };
};

/** Fuller than this, or full within so many days, is late, and wrong. A storage that is nearly empty fills in no month. */
const STORAGE_LATE = { part: 0.75, days: 30 };
const STORAGE_WRONG = { part: 0.9, days: 7 };
const NEARLY_EMPTY = 0.1;

/** Where Lambda's code storage is full, nothing can be published: how full it is, and when it will be. @param forecast `undefined` where it was never measured */
export const codeStorageHealth = (forecast: Forecast | undefined): EngineFinding => {
  const part = "code-storage";
  if (forecast === undefined) return ok(part, "It was not measured yet; the reconciler does so twice a day.");
  const { used, limit, perDay, daysLeft } = forecast;
  const filled = used / limit;
  const isBeyond = (most: { part: number; days: number }): boolean =>
    filled > most.part || (daysLeft !== null && daysLeft < most.days && filled > NEARLY_EMPTY);
  const state = isBeyond(STORAGE_WRONG) ? "wrong" : isBeyond(STORAGE_LATE) ? "late" : "ok";
  return { part, state, says: `${sayStorage(forecast)}.`, next: state === "ok" ? null : "shiplog gc --dry-run", about: null };

  function sayStorage(_: Forecast): string {
    const now = `${gigabytes(used)} of ${gigabytes(limit)} GB for functions' code are used (${Math.round(100 * filled)} %)`;
    if (perDay === null) return now;
    if (daysLeft === null) return `${now}, and no more with each day`;
    return `${now}, and ${gigabytes(perDay)} GB more with each day: full in ${daysLeft > 1_000 ? "years" : counted(Math.floor(daysLeft), "day")}`;
  }
};

/** As AWS counts them here: 75 GB are 80,530,636,800 bytes. */
const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(bytes < 2 ** 30 / 10 ? 3 : 1);

/** What could not be looked at is not known to be well. */
export const unseen = (part: HealthPart): EngineFinding => ({
  part,
  state: "wrong",
  says: "It could not be looked at; the engine's log says why.",
  next: DOCTOR,
  about: null,
});
