import * as z from "zod";
import { counted } from "../kernel/counted.ts";
import type { Environment } from "./state.ts";

/**
 * How long an environment keeps releases, as its site declares it. A release stays as long as any of these says so, and goes when
 * none does. Stored for ever, with what was swept by it.
 */
export const Keep = z.object({
  /** so many that were live last */
  releases: z.number().int().positive(),
  /** those that were made within so many days */
  days: z.number().nonnegative(),
  /** those that were live within so many hours: pages of theirs may be open */
  window: z.number().nonnegative(),
});
export type Keep = z.infer<typeof Keep>;

/** Why a release goes: nothing keeps it any more, whether it was live or never came so far. Stored for ever. */
export const GoRule = z.enum(["was-live", "never-live"]);
export type GoRule = z.infer<typeof GoRule>;

/** Why a release stays, the first that is so. */
export const stayRules = [
  "live",
  "going-live",
  "moved-to",
  "held",
  "under-way",
  "may-flip",
  "reached",
  "kept",
  "pinned",
  "last-live",
  "way-back",
  "window",
  "young",
] as const;
export type StayRule = (typeof stayRules)[number];

/** Why a release stays, in one sentence without its end. */
export const sayStays = (rule: StayRule, { releases, days, window }: Keep): string => {
  switch (rule) {
    case "live":
      return "it is live";
    case "going-live":
      return "it is going live";
    case "moved-to":
      return "an alias was moved to it by a flip that failed, and nothing has moved it since";
    case "may-flip":
      return "a flip to it came to nothing in the last hours, and whoever was at it may go on";
    case "held":
      return "it waits for the pin or lock to go";
    case "under-way":
      return "its deployment has not ended";
    case "reached":
      return "visitors still reach it at its own address";
    case "kept":
      return "somebody keeps it by name";
    case "pinned":
      return "the environment was pinned to it";
    case "last-live":
      return `it is among the last ${releases} that were live`;
    case "way-back":
      return "a rollback goes there";
    case "window":
      return `it was live within the last ${counted(window, "hour")}`;
    case "young":
      return `it was made within the last ${counted(days, "day")}`;
  }
};

/** Why a release goes, or went, in one sentence without its end. */
export const sayGoes = (rule: GoRule, { releases, days, window }: Keep): string =>
  rule === "never-live"
    ? `it never went live, and was made more than ${counted(days, "day")} ago`
    : `it was not among the last ${releases} that were live, was live last more than ${counted(window, "hour")} ago, and was made more than ${counted(days, "day")} ago`;

/** What a sweep could not take, in one sentence without its end. */
export const sayLeft = ({
  count,
  named,
}: {
  readonly count: number;
  readonly named: readonly { readonly thing: string; readonly because: string }[];
}): string => {
  const first = named.map(({ thing, because }) => `${thing}: ${because}`).join("; ");
  return count > named.length ? `${first}; and ${count - named.length} more` : first;
};

/** Told of a release that was swept, in one sentence without its end. */
export const saySwept = ({ at, rule, keep }: { readonly at: string; readonly rule: GoRule; readonly keep: Keep }): string =>
  `was swept on ${at}: ${sayGoes(rule, keep)}`;

/** Whether a release may be half gone already, or went last: nobody may go back to it. */
export const isBeingSwept = ({ sweep, swept }: Environment, deploymentId: string): boolean =>
  swept.has(deploymentId) || (sweep !== null && sweep.until !== null && sweep.releases.some((one) => one.deploymentId === deploymentId));

export const sayBeingSwept = (deploymentId: string): string => `${deploymentId} is being swept: deploy its commit again`;
