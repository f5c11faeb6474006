import * as z from "zod";
import { FlipReason } from "../environment/events.ts";

/** Why a deployment has no lead time. */
export const NoLeadTime = z.enum([
  /** no commit is known, or not when it was committed: a client before that was stored, or one that does not tell it */
  "unknown",
  /** the source differed from its commit: when that change was made is in no log */
  "changed",
  /** the same commit had gone live there before: nothing new came with it */
  "again",
  /** the commit's time is later than the moment at which it went live, or before git was there */
  "implausible",
]);

/** Why a change of what was live is counted nowhere. */
export const NotCounted = z.enum([
  /** a rollback of what went live before the period: it belongs to the period of that deployment */
  "earlier",
  /** a rollback that followed a rollback: what it left had not come by a deployment */
  "again",
  /** a rollback to what was live, while something else was about to go live: nothing was taken down */
  "stayed",
  /** the engine put back what was live, after a flip that failed half-way */
  "restore",
  "promote",
]);

/** A change of what was live: the event `ReleaseWentLive` that it stands for. */
const Change = z.object({
  site: z.string(),
  environment: z.string(),
  deploymentId: z.string(),
  sequence: z.number(),
  /** id and position of the event */
  event: z.string(),
  position: z.string(),
  at: z.string(),
  /** who asked for it */
  by: z.string(),
});

/** A release that went live by a deployment, in the period. */
export const CountedDeployment = Change.extend({
  sha: z.string().nullable(),
  committedAt: z.string().nullable(),
  /** milliseconds from the commit to going live; null: `noLeadTime` says why */
  leadTimeMs: z.number().nullable(),
  noLeadTime: NoLeadTime.nullable(),
  /** the rollback that took it down before the next deployment; `ms`: from its going live to the rollback's */
  rolledBack: Change.extend({ ms: z.number() }).nullable(),
});

/** What of the period is in no figure, and why. */
export const UncountedChange = Change.extend({ how: FlipReason, why: NotCounted });

const ids = z.array(z.string());

/**
 * The four figures of software delivery that DORA's research names, of a period. What each of them means is said by
 * `definitions`. `counted` are ids of deployments; each of them is in `deployments`, with its events.
 */
export const DoraFigures = z.object({
  /** `perDay`: of as many days as the period has */
  deploymentFrequency: z.object({ perDay: z.number(), days: z.number(), sample: z.number(), counted: ids }),
  /** null: nothing could be counted. `leftOut`: deployments without a lead time, by the reason */
  leadTime: z.object({
    medianMs: z.number().nullable(),
    p90Ms: z.number().nullable(),
    sample: z.number(),
    counted: ids,
    leftOut: z.record(NoLeadTime, ids),
  }),
  /** `rate` from 0 to 1: `counted` are those that were rolled back, of `sample` deployments; null where there were none */
  changeFailureRate: z.object({ rate: z.number().nullable(), sample: z.number(), counted: ids }),
  timeToRestore: z.object({ medianMs: z.number().nullable(), sample: z.number(), counted: ids }),
  /** in the log's order */
  deployments: z.array(CountedDeployment),
  uncounted: z.array(UncountedChange),
});

export type NoLeadTime = z.infer<typeof NoLeadTime>;
export type NotCounted = z.infer<typeof NotCounted>;
export type CountedDeployment = z.infer<typeof CountedDeployment>;
export type UncountedChange = z.infer<typeof UncountedChange>;
export type DoraFigures = z.infer<typeof DoraFigures>;

/** What each figure means, for a person: the same words wherever it is shown. */
export const definitions = {
  deploymentFrequency: "How often a deployment brought a release live in the period. Rollbacks and what the engine put back do not count.",
  leadTime:
    "From the commit's time to the moment at which its deployment was live. Only what came of a clean commit with a known time, for the first time there.",
  changeFailureRate:
    "The share of those deployments that a rollback took down before the next deployment went live, also where it came after the period.",
  timeToRestore: "Of those that were taken down: from going live to the moment at which the first rollback was live.",
} as const satisfies Readonly<Record<string, string>>;

/** What keeps a deployment from having a lead time, for a person. */
export const noLeadTimeWords: Readonly<Record<NoLeadTime, string>> = {
  unknown: "commit time not known",
  changed: "source differed from its commit",
  again: "commit was live there before",
  implausible: "commit time is implausible",
};

/** Why a change is in no figure, for a person. */
export const notCountedWords: Readonly<Record<NotCounted, string>> = {
  earlier: "rollback of what went live before the period",
  again: "rollback after a rollback",
  stayed: "rollback to what was live",
  restore: "put back by the engine",
  promote: "promoted",
};

/** A frequency in the largest unit that has one or more: `2.4 a day`, `3 a week`, `0.5 a month` (of thirty days). */
export const sayFrequency = (perDay: number): string => {
  if (perDay >= 1 || perDay === 0) return `${tenths(perDay)} a day`;
  return perDay * 7 >= 1 ? `${tenths(perDay * 7)} a week` : `${tenths(perDay * 30)} a month`;
};

/** A share from 0 to 1: `12.5 %`. */
export const sayShare = (rate: number): string => `${tenths(rate * 100)} %`;

/** Why deployments have no lead time, and how many: `2 commit time not known, 1 commit was live there before`. */
export const sayLeftOut = (leftOut: DoraFigures["leadTime"]["leftOut"]): string =>
  NoLeadTime.options.flatMap((why) => (leftOut[why].length === 0 ? [] : [`${leftOut[why].length} ${noLeadTimeWords[why]}`])).join(", ");

const tenths = (value: number): string => String(Math.round(value * 10) / 10);
