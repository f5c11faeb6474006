import type { z } from "zod";
import type { OneComparison } from "../../client/contract.ts";
import { showBytes } from "../../domain/wording.ts";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { environmentName } from "../environment.ts";
import { commitCell } from "../show-commit.ts";
import { plain, table } from "../terminal.ts";

type Comparison = z.infer<typeof OneComparison>["comparison"];
type Release = Comparison["from"];
type Version = NonNullable<NonNullable<Comparison["functions"]>[number]["from"]>;

/** What is different between two releases of a site. */
export const compareCommand: Register = (program, run) =>
  void program
    .command("compare")
    .description("two releases of a site side by side: commits, functions, variables by name, public files")
    .argument("<from>", "a deployment; a unique beginning of its id is enough")
    .argument("<to>", "the other")
    .action((from: string, to: string) => run((context) => compare(context, from, to)));

async function compare({ api: open, terminal, json }: Context, from: string, to: string): Promise<undefined> {
  const comparison = await open().compare(from, to);
  if (json) return void terminal.document({ comparison });
  const now = Date.now();
  terminal.result(table([releaseRow("from", comparison.from, now), releaseRow("to", comparison.to, now)]));
  if (comparison.newer === "from") terminal.note("The second is the older one: what follows is what going there takes back.");
  if (!comparison.isWhole) terminal.note("They lie too far apart: not all commits and times between them were looked for.");
  terminal.result(`\n${commitsOf(comparison)}`);
  for (const [title, rows] of [
    ["Functions", functionRows(comparison)],
    ["Variables", variableRows(comparison)],
    ["Public files", fileRows(comparison)],
  ] as const)
    terminal.result(`\n${title}\n${table(rows.map((row) => ["", ...row.map(plain)]))}`);
}

const releaseRow = (side: string, release: Release, now: number): string[] => {
  const { deploymentId, sequence, status, commit, actor, live } = release;
  const [last] = live;
  const when =
    last === undefined
      ? "never live"
      : `live since ${showAge(last.since, now)}${last.until === null ? "" : `, until ${showAge(last.until, now)}`}`;
  return [side, deploymentId, `${environmentName(release)} #${sequence}`, status, commitCell(commit), `by ${plain(actor)}`, when];
};

const commitsOf = ({ commits }: Comparison): string => {
  if (commits === null) return "Commits\n  of two environments: nothing lies between them";
  if (commits.length === 0) return "Commits\n  none between them was deployed";
  return `Commits that were deployed between them (the engine has no git)\n${table(
    commits.map(({ sequence, commit }) => ["", `#${sequence}`, commitCell(commit), plain(commit?.author ?? "")]),
  )}`;
};

const functionRows = ({ functions, variables }: Comparison): string[][] =>
  functions === null
    ? [["not compared: one of the two never became a release"]]
    : functions.map(({ role, code, from, to }) => [
        role,
        code === "same" ? "the same code" : code,
        sizeOf(from, to),
        settingsOf(from, to, variables),
      ]);

const sizeOf = (from: Version | null, to: Version | null): string => {
  const [before, after] = [from?.facts?.bytes, to?.facts?.bytes];
  if (before === undefined || after === undefined) return "";
  return before === after ? showBytes(after) : `${showBytes(before)} → ${showBytes(after)}`;
};

const settingsOf = (from: Version | null, to: Version | null, variables: Comparison["variables"]): string => {
  if (from === null || to === null) return "";
  const [was, is] = [from, to].map(({ facts }) =>
    facts === null ? "a version that is gone" : `${facts.memoryMb} MB, ${facts.timeoutSeconds} s, ${facts.architecture}, ${facts.runtime}`,
  );
  if (was !== is) return `${was} → ${is}`;
  if (from.settings === to.settings) return "the same settings";
  const differing = variables.flatMap(({ functions }) => (functions === null || functions === "same" ? [] : [functions]));
  if (differing.some((is) => is !== "unknown")) return "variables differ, as below";
  // the digest has the release's own id in it, too
  return differing.length > 0 ? "variables may differ, as below" : "the same settings, but for what the engine gives each release";
};

const variableRows = ({ variables }: Comparison): string[][] => {
  const differing = variables.filter(({ build, functions }) => [build, functions].some((is) => is !== null && is !== "same"));
  if (differing.length === 0) return [[variables.length === 0 ? "the log names none of either" : "none differs"]];
  const said = (is: (typeof variables)[number]["build"]): string => (is === null ? "" : is === "unknown" ? "not known" : is);
  return [["NAME", "BUILD", "FUNCTIONS"], ...differing.map(({ name, build, functions }) => [name, said(build), said(functions)])];
};

const fileRows = ({ publicFiles }: Comparison): string[][] => {
  if (publicFiles === null) return [["not compared: the list of one of them is gone"]];
  const { added, removed, changed, same } = publicFiles;
  const rows = (is: string, { count, paths }: typeof added): string[][] => [
    ...paths.map((path) => [is, path]),
    ...(count > paths.length ? [[is, `and ${count - paths.length} more`]] : []),
  ];
  return [...rows("added", added), ...rows("changed", changed), ...rows("removed", removed), ["the same", String(same)]];
};
