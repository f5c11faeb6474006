import { clipped, storable } from "../kernel/text.ts";
import { type BuildErrorKind, NETWORK, type Sign, signs, type Weight } from "./signs.ts";

export type { BuildErrorKind } from "./signs.ts";

/** The first real error of a build that failed. */
export type BuildError = {
  readonly kind: BuildErrorKind;
  /** one line: where it is, as far as that is known, and what is wrong */
  readonly summary: string;
  /** of the whole log, from 0 */
  readonly line: number;
  /** at most fifteen lines of the build's own output around it */
  readonly context: readonly string[];
  /** which of them it is */
  readonly marked: number;
  /** whether the same source, built again, may succeed */
  readonly canRetryHelp: boolean;
};

const CONTEXT = 15;
const BEFORE = 5;
const MAX_SUMMARY = 300;
/** A line may be a whole bundle: so much of it is looked at and kept. */
const MAX_LINE = 500;
/** So many lines after its heading a page's error may be told. */
const PRERENDERED = 6;
const WEIGHTS: readonly Weight[] = ["limit", "cause", "error", "report"];

/** What the builder itself writes around the commands. */
const FRAME = /^\[Container\] \S+ \S+ (.*)$/;
/** A line that is nothing but the place of what the next one says; the linters' have no line number. */
const PLACE = /^\s*(?:\.\/|file:\/\/)?((?:\[\w+\]\/|\/)?[\w@()[\]./ -]*?[\w)\]-]\.\w{1,4}(?::\d+(?::\d+)?)?)\s*$/;
/** `at page (app/page.tsx:3:9)`, `,-[/build/app/page.tsx:3:9]` */
const IN_STACK = [
  /\bat (?:.*?\()?(?:async )?(?:file:\/\/)?(\S+?\.[cm]?[jt]sx?:\d+(?::\d+)?)\)?(?: \{)?$/,
  /[╭,][─-]+\[(\S+?\.[cm]?[jt]sx?:\d+(?::\d+)?)\]/,
];
/** What webpack's errors come after: each the place, and below it what is wrong there, in words of any loader. */
const WEBPACK = /^Failed to compile\.$/;
const BELOW_PLACE: Sign = { kind: "compile", weight: "error", pattern: /^\s*(\S.*?)\s*$/ };
/** Code that the app's author did not write. */
const FOREIGN = /node_modules|^node:|(?:^|\/)\.(?:next|open-next)\/|\/pnpm\.cjs/;

type Candidate = {
  readonly sign: Sign;
  readonly line: number;
  readonly context: string[];
  readonly marked: number;
  readonly said: string;
  /** that was prerendered when it was thrown */
  readonly page: string | undefined;
  place: string | undefined;
};

/**
 * Looks at a build's log line by line, in order, and keeps a few dozen of them, however long it is. What a command printed
 * that ended well is no error of the build.
 */
export function buildErrorFinder() {
  let count = 0;
  let found = new Map<Weight, Candidate>();
  let recent: { readonly line: number; readonly text: string }[] = [];
  let place: { readonly text: string; readonly line: number } | undefined;
  let prerendered: { readonly page: string; readonly line: number } | undefined;
  let isWebpack = false;
  /** the builder's own word about it; after it, nothing is the error any more */
  let end: { readonly is: "exit" | "time" | "phase"; readonly text: string } | undefined;

  const begin = (): void => {
    found = new Map();
    recent = [];
    place = undefined;
    prerendered = undefined;
    isWebpack = false;
  };

  const frame = (text: string): void => {
    if (end?.is === "exit" || end?.is === "time") return;
    const exit = /^Command did not exit successfully .* exit status (-?\d+)$/.exec(text)?.[1];
    const state = /^Phase complete: \S+ State: (\S+)/.exec(text)?.[1];
    const context = /^Phase context status code: (\S*) Message: (.*)$/.exec(text);
    if (exit !== undefined) end = { is: "exit", text: exit };
    else if (state === "TIMED_OUT" || context?.[1] === "BUILD_TIMED_OUT") end = { is: "time", text: "" };
    else if (end?.is === "phase") end = end.text === "" && context?.[2] ? { is: "phase", text: context[2] } : end;
    else if (state === "SUCCEEDED" || text.startsWith("Running command ")) begin();
    else if (state !== undefined && state !== "STOPPED") end = { is: "phase", text: "" };
  };

  const candidate = (sign: Sign, match: RegExpExecArray, line: number, text: string): Candidate => {
    const { said, place: own, within } = sign.read?.(match) ?? { said: match[1] ?? text };
    const above = place !== undefined && (line - place.line <= 1 || sign.kind === "lint") ? place.text : undefined;
    const page = prerendered !== undefined && line - prerendered.line <= PRERENDERED ? prerendered.page : undefined;
    const paragraph = recent.slice(recent.findLastIndex((one) => one.text === "") + 1).slice(-BEFORE);
    return {
      sign: sharpened(sign, page, above),
      line,
      said,
      context: [...paragraph.map((one) => one.text), text],
      marked: paragraph.length,
      page,
      place: own ?? (above !== undefined && within !== undefined ? `${above}:${within}` : above),
    };
  };

  const output = (text: string, line: number): void => {
    for (const one of found.values()) {
      if (one.context.length < CONTEXT) one.context.push(text);
      if (line - one.line < CONTEXT) one.place = narrowed(one.place, text);
    }
    const page = /^\s*(?:⨯ )?Error occurred prerendering page "([^"]+)"/.exec(text)?.[1];
    if (page !== undefined) prerendered = { page, line };
    const isBelowPlace = isWebpack && place?.line === line - 1;
    const known = page === undefined ? firstSign(text, isBelowPlace ? [...signs, BELOW_PLACE] : signs) : undefined;
    if (known !== undefined) {
      const one = candidate(known.sign, known.match, line, text);
      if (!found.has(one.sign.weight)) found.set(one.sign.weight, one);
    }
    if (WEBPACK.test(text)) isWebpack = true;
    const named = PLACE.exec(text)?.[1];
    if (named !== undefined) place = { text: named, line };
    recent.push({ line, text });
    if (recent.length > CONTEXT) recent.shift();
  };

  return {
    /** One line of the log; one without an end of its own. */
    take(raw: string): void {
      const text = clipped(storable(raw).replaceAll("\n", " ").trimEnd(), MAX_LINE);
      const framed = FRAME.exec(text)?.[1];
      if (framed !== undefined) frame(framed);
      else if (end === undefined) output(text, count);
      count += 1;
    },
    /** What it is; `undefined` while nothing failed, and where nothing is said about it. */
    found(): BuildError | undefined {
      if (end === undefined) return undefined;
      if (end.is === "time") return lastWords("time", "the build took longer than its time limit", recent);
      const one = WEIGHTS.map((weight) => found.get(weight)).find((candidate) => candidate !== undefined);
      if (one !== undefined) return told(one);
      if (end.is === "phase") return undefined;
      if (end.text === "137")
        return lastWords("memory", "the command was killed (exit status 137), as it is where memory runs out", recent);
      const last = recent.findLast(({ text }) => text.trim() !== "")?.text.trim();
      return last === undefined ? undefined : lastWords("command", last, recent);
    },
  };
}

/** The same of a whole log. */
export function findBuildError(lines: readonly string[]): BuildError | undefined {
  const finder = buildErrorFinder();
  for (const line of lines) finder.take(line);
  return finder.found();
}

function firstSign(text: string, known: readonly Sign[]): { sign: Sign; match: RegExpExecArray } | undefined {
  if (/^\s*at /.test(text)) return undefined;
  for (const sign of known) {
    const match = sign.pattern.exec(text);
    if (match !== null) return { sign, match };
  }
  return undefined;
}

/** An error of unknown kind is known by what stands above it: the page that was rendered, or a place in a file. */
function sharpened(sign: Sign, page: string | undefined, above: string | undefined): Sign {
  if (sign.kind !== "error") return sign;
  if (page !== undefined) return { ...sign, kind: "prerender", weight: "cause" };
  return above !== undefined && /:\d+$/.test(above) ? { ...sign, kind: "compile", weight: "cause" } : sign;
}

function told({ sign: { kind }, line, context, marked, said, page, place }: Candidate): BuildError {
  const where = place === undefined ? "" : `${place}: `;
  const during = page === undefined ? "" : ` (while ${page} was prerendered)`;
  const kept = trimmed(context);
  return {
    kind,
    summary: clipped(shortPaths(`${where}${said.trim()}${during}`), MAX_SUMMARY),
    line,
    context: kept,
    marked: Math.min(marked, kept.length - 1),
    canRetryHelp: kind === "network" || kind === "font" || NETWORK.test(`${said}\n${kept.join("\n")}`),
  };
}

/** Where nothing names an error, the last lines are all there is to go by. */
function lastWords(kind: BuildErrorKind, summary: string, recent: readonly { line: number; text: string }[]): BuildError {
  const context = trimmed(recent.map(({ text }) => text));
  return {
    kind,
    summary: clipped(summary, MAX_SUMMARY),
    line: recent.findLast(({ text }) => text !== "")?.line ?? 0,
    context,
    marked: Math.max(0, context.length - 1),
    canRetryHelp: kind === "time" || kind === "command",
  };
}

/** Without empty lines at its end. */
const trimmed = (lines: readonly string[]): string[] => lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);

/** A place that is not known yet, or of which only the file is, by what a line after the error says. */
function narrowed(place: string | undefined, text: string): string | undefined {
  if (place !== undefined && /:\d+$/.test(place)) return place;
  const found = IN_STACK.map((pattern) => pattern.exec(text)?.[1]).find((one) => one !== undefined);
  if (found === undefined || FOREIGN.test(found)) return place;
  if (place === undefined) return found;
  const file = found.indexOf(`${place}:`);
  return file < 0 ? place : found.slice(file);
}

/** Folders that a build works in, here and on AWS: to the author of the app they say nothing. */
const FOLDERS = /(?:\/[^\s'"():/]+)*\/(?:output\/src\d+|builds(?:\/[^\s/]+){1,3}?)\/src\//g;
const shortPaths = (text: string): string => text.replace(FOLDERS, "").replace(/^\.\//, "");
