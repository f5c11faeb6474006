import { relative, sep } from "node:path";
import { createTwoFilesPatch } from "diff";
import type { Context } from "./context.ts";
import { findingLines } from "./finding.ts";
import type { Change, InitPlan, Kept } from "./init-plan.ts";
import { plain } from "./terminal.ts";

/** The files that would change, as `diff -u` and git show them. */
export const diffOf = ({ path, before, after }: Change, base: string): string => {
  const name = shown(path, base);
  const patch = createTwoFilesPatch(before === undefined ? "/dev/null" : `a/${name}`, `b/${name}`, before ?? "", after, "", "", {
    context: 2,
  });
  return patch.replace(/^=+\n/, "").replace(/\t$/gm, "").trimEnd();
};

/** Prints what would be written, and what is somebody's own and stays. */
export function showPlan({ terminal }: Context, { base, changes, kept, findings, hints }: InitPlan): void {
  for (const change of changes)
    terminal.result(
      diffOf(change, base)
        .split("\n")
        .map((line) => terminal.paint(colourOf(line), plain(line.replace(/\r$/, ""))))
        .join("\n"),
    );
  for (const { path, why, wanted } of kept) {
    terminal.result(`${plain(shown(path, base))} stays as it is: ${plain(why)}. What it would get:`);
    for (const line of wanted.trimEnd().split("\n")) terminal.result(`    ${plain(line)}`);
  }
  for (const finding of findings) for (const line of findingLines(finding, terminal.paint)) terminal.result(line);
  for (const hint of hints) terminal.note(`note: ${plain(hint)}`);
}

/** For programs. */
export const planDocument = ({ base, changes, kept, install, findings, hints, site }: InitPlan, next: readonly string[]): object => ({
  site,
  changes: changes.map((change) => ({ path: change.path, isNew: change.before === undefined, diff: diffOf(change, base) })),
  kept: kept.map(({ path, why, wanted }: Kept) => ({ path, why, wanted })),
  install: install ?? null,
  findings,
  hints,
  next,
});

const colourOf = (line: string) =>
  /^(---|\+\+\+) /.test(line) ? "bold" : line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : undefined;

export const shown = (path: string, base: string): string => relative(base, path).split(sep).join("/") || ".";
