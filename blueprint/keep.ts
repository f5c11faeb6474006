import * as z from "zod";

/** Releases that the state of an environment remembers for certain (`MAX_STANDING`): more cannot be promised. */
const MOST = 30;
/** Artifacts of builds go after ninety days, whatever is declared. */
const DAYS = 90;
const YEAR_HOURS = 8_760;

/** How long an environment keeps releases, as the sites file says it; what it leaves out is usual. */
export const KeepDeclared = z.strictObject({
  releases: z.number().int().min(1).max(MOST).describe("Those that were live last, so many").default(10),
  days: z.number().min(0).max(DAYS).describe("Those that were made within so many days").default(14),
  window: z.number().min(0).max(YEAR_HOURS).describe("Those that were live within so many hours: pages of theirs may be open").default(168),
  wait: z
    .number()
    .min(0)
    .max(720)
    .describe(
      "What nothing keeps any more is marked first, and swept no sooner than so many hours after that; 0: the next time that somebody looks",
    )
    .default(24),
});
export type KeepDeclared = z.infer<typeof KeepDeclared>;

export const usualKeep: KeepDeclared = KeepDeclared.parse({});
