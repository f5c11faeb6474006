import type { z } from "zod";
import type { PlannedRelease, PlannedRollback } from "../client/contract.ts";
import { showAge, showDuration } from "./duration.ts";
import type { Environment } from "./environment.ts";
import { showCommit } from "./show-commit.ts";
import { plain, table } from "./terminal.ts";

/** What a rollback would do, as the API shows it. */
export type RollbackPlan = NonNullable<z.infer<typeof PlannedRollback>["plan"]>;
type Release = z.infer<typeof PlannedRelease>;

/** More than these are counted. */
const SHOWN = 3;

/** Both releases with what they are and how long they were live, and what is passed over, as lines for a person. */
export const planTable = ({ from, to, skipped, caution }: RollbackPlan, now: number): string =>
  table([
    ["  from", name(from), about(from), from.goingLive ? "going live at this moment" : liveFor(from, now)],
    ["  to", name(to), about(to), liveFor(to, now)],
    ...[...(caution === null ? [] : [caution]), ...skipped.slice(0, SHOWN)].map((passed) => [
      passed === caution ? "  beware" : "  passed over",
      name(passed),
      plain(passed.why),
    ]),
    ...(skipped.length > SHOWN ? [["  passed over", `and ${skipped.length - SHOWN} more`]] : []),
  ]);

/** `dep_01J… (#3)` */
export const name = ({ deploymentId, sequence }: Pick<Release, "deploymentId" | "sequence">): string => `${deploymentId} (#${sequence})`;

const about = ({ commit, actor }: Release): string => `${commit === null ? "" : `${showCommit(commit)}, `}deployed by ${plain(actor)}`;

const liveFor = ({ live }: Release, now: number): string => {
  if (live === null) return "live long ago";
  return `live for ${showDuration(live.ms)}${live.until === null ? " until now" : `, until ${showAge(live.until, now)}`}`;
};

/** What was live before the rollback that brought what is live, if one did: a rollback to it undoes that. */
export const tookDown = ({ live, takenDown }: Environment): string | undefined =>
  live?.reason === "rollback" ? takenDown.find(({ rollback, wasLive }) => wasLive && rollback === live.sequence)?.deploymentId : undefined;
