import type { Because } from "../domain/projections/why.ts";
import { plain, table } from "./terminal.ts";

/** Why something is live, a line for each link: what, when, who, the event that says so, and its particulars. */
export const becauseTable = (because: readonly Because[]): string =>
  table(because.map(({ what, detail, at, actor, event }) => [`  ${what}`, at, plain(actor), event, plain(detail)]));
