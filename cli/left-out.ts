import type { LeftOut } from "../engine/zip/archive.ts";
import { plain } from "./terminal.ts";

/** What a person may miss in the build, by why it is not there. */
const WHY: Readonly<Record<LeftOut["why"], string>> = {
  secret: "not tracked by git, so its values stay on this machine; declare them as variables of the site",
  "local-values": "values of this machine alone; declare what a build needs as variables of the site",
  shiplogignore: "named in .shiplogignore",
  gitignore: "named in .gitignore",
  "dead-link": "a link to a program that is not there",
};
const SHOWN = 3;

/** One line for each reason: `source: without .env.local (values of this machine alone; …)`. */
export const leftOutLines = (leftOut: readonly LeftOut[]): string[] =>
  [...Map.groupBy(leftOut, ({ why }) => why)].map(([why, paths]) => {
    const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : "";
    const named = paths
      .slice(0, SHOWN)
      .map(({ path }) => plain(path))
      .join(", ");
    return `source: without ${named}${more} (${WHY[why]})`;
  });
