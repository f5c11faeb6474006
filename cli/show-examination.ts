import { MAX_SOURCE_BYTES } from "../client/contract.ts";
import { counted } from "../domain/kernel/counted.ts";
import { showBytes } from "../domain/wording.ts";
import type { Context } from "./context.ts";
import type { Examined } from "./examine-app.ts";
import { findingLines, inOrder } from "./finding.ts";
import { leftOutLines } from "./left-out.ts";
import { table } from "./terminal.ts";

/** What tools make anew, and nobody misses in a build. */
const MADE_ANEW = /(^|\/)(next-env\.d\.ts|\.DS_Store|coverage|\.vercel|[^/]+\.(tsbuildinfo|log))$/;

/** Prints what an app is and what was found, errors first; with --json one document. */
export function showExamination({ terminal, json }: Context, app: string, { findings, layout, install, versions, source }: Examined): void {
  const sorted = inOrder(findings);
  if (json) {
    terminal.document({
      app,
      root: layout.root,
      ...versions,
      install: install ?? null,
      source: source === undefined ? null : { ...source, bytesMax: MAX_SOURCE_BYTES },
      findings: sorted,
    });
    return;
  }
  const rows = [
    ["next", versions.next],
    ["opennext", versions.openNext],
    ["install", install && `${install.command}  (${install.lockfile}${layout.app === undefined ? "" : ` of ${layout.root}`})`],
    [
      "source",
      source &&
        `${counted(source.files, "file")}, ${showBytes(source.bytes)} before they are packed; at most ${showBytes(MAX_SOURCE_BYTES)} packed`,
    ],
  ];
  const leftOut = source?.leftOut.filter(({ path, why }) => why !== "gitignore" || !MADE_ANEW.test(path)) ?? [];
  const without = leftOutLines(leftOut).map((line) => ["", line.replace(/^source: /, "")]);
  terminal.result(table([...rows.flatMap(([name = "", value]) => (value === undefined ? [] : [[name, value]])), ...without]));
  for (const finding of sorted) for (const line of findingLines(finding, terminal.paint)) terminal.result(line);
  const told = (["error", "warning"] as const).flatMap((level) => {
    const number = findings.filter((finding) => finding.level === level).length;
    return number === 0 ? [] : [counted(number, level)];
  });
  terminal.note(told.length === 0 ? "Nothing keeps it from being deployed." : `${told.join(", ")}.`);
}
