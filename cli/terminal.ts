import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";
import { jsonText, printable } from "../domain/kernel/text.ts";
import { openOutlet } from "./outlet.ts";

type Style = Parameters<typeof styleText>[0];

/**
 * Where a command speaks: the result goes to stdout and nothing else does; progress, hints and questions go to stderr.
 * Without a terminal, or with NO_COLOR, there are no colours; without a terminal no line is ever rewritten.
 */
export type Terminal = {
  /** the result: one line or more on stdout */
  result(text: string): void;
  /** the result as one JSON document (one line where `line`) */
  document(value: unknown, line?: "line"): void;
  /**
   * Resolves when stdout has taken what was printed: who reads slowly is waited for, and not kept in memory for.
   * @throws ReaderGone where nobody reads any more: what only prints is at its end then
   */
  taken(): Promise<void>;
  /** why the result could not be written, of which the person must hear; `undefined` also where its reader went away */
  unwritten(): Promise<NodeJS.ErrnoException | undefined>;
  /** one line of progress on stderr */
  note(text: string): void;
  /** the one line that changes in place; nothing without a terminal. `null` takes it away. */
  live(text: string | null): void;
  /** width of stdout's terminal; `undefined` without one */
  readonly columns: number | undefined;
  /** whether colours are seen on stdout: a terminal, and no NO_COLOR; or FORCE_COLOR */
  readonly colours: boolean;
  /** true where a person can be asked */
  readonly interactive: boolean;
  /** y/N on stderr; only where `interactive`. No answer (Ctrl-D, no more input) is a no. */
  ask(question: string, signal: AbortSignal): Promise<boolean>;
  /** one line that is typed and not shown; only where `interactive`. "" where nothing was typed. */
  secret(question: string, signal: AbortSignal): Promise<string>;
  /** colours for stdout and for stderr; a style of `undefined` is none */
  paint(style: Style | undefined, text: string): string;
  paintNote(style: Style | undefined, text: string): string;
};

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Whoever read stdout went away (`shiplog audit | head`). */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

export function openTerminal(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Terminal {
  const out = openOutlet(stdout);
  const err = openOutlet(stderr);
  const moving = stderr.isTTY === true && process.env.TERM !== "dumb";
  let line: string | null = null;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;

  const erase = () => line !== null && err.write("\r\x1b[2K");
  const draw = () => {
    if (line === null) return;
    const room = Math.max(20, (stderr.columns ?? 80) - 3);
    err.write(`\r\x1b[2K${FRAMES[frame++ % FRAMES.length]} ${printable(line).slice(0, room)}`);
  };

  return {
    get columns() {
      return stdout.isTTY ? stdout.columns : undefined;
    },
    colours: styleText("red", "x", { stream: stdout }) !== "x",
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    result: (text) => {
      erase();
      out.write(`${guarded(text)}\n`);
      draw();
    },
    document: (value, single) => out.write(`${jsonText(value, single === undefined ? 2 : 0)}\n`),
    taken: async () => {
      if ((await out.settled()) === "closed") throw new ReaderGone("nobody reads the output any more");
    },
    unwritten: async () => {
      const fate = await out.settled();
      return fate === "open" || fate === "closed" ? undefined : fate;
    },
    note: (text) => {
      erase();
      err.write(`${guarded(text)}\n`);
      draw();
    },
    live: (text) => {
      if (!moving) return;
      if (text === null) {
        erase();
        clearInterval(timer);
        timer = undefined;
      }
      line = text;
      draw();
      if (text !== null) timer ??= setInterval(draw, 100).unref();
    },
    ask: async (question, signal) => {
      const reader = createInterface({ input: stdin, output: stderr });
      reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
      // a Ctrl-D rejects the question, an input that is at its end leaves it open: neither says yes
      const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
      const answer = reader.question(`${question} [y/N] `, { signal }).catch((error: unknown) => {
        if (signal.aborted || (error as Error).name !== "AbortError") throw error;
        err.write("\n");
        return "";
      });
      try {
        return /^y(es)?$/i.test((await Promise.race([answer, ended])).trim());
      } finally {
        reader.close();
      }
    },
    secret: async (question, signal) => {
      err.write(`${guarded(question)}: `);
      const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
      const reader = createInterface({ input: stdin, output: unseen, terminal: true, historySize: 0 });
      reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
      const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
      const typed = reader.question("", { signal }).catch((error: unknown) => {
        if (signal.aborted || (error as Error).name !== "AbortError") throw error;
        return "";
      });
      try {
        return await Promise.race([typed, ended]);
      } finally {
        reader.close();
        err.write("\n");
      }
    },
    paint: (style, text) => (style === undefined ? text : styleText(style, text, { stream: stdout })),
    paintNote: (style, text) => (style === undefined ? text : styleText(style, text, { stream: stderr })),
  };
}

export { printable as plain } from "../domain/kernel/text.ts";

/** Colours, of ours or of a build's log: the only sequences that a terminal is ever given by a text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const COLOUR = /(\u001b\[[\d;:]*m)/;

/** The last guard of everything that is printed: lines stay lines and colours stay colours, nothing else acts on the terminal. */
const guarded = (text: string): string =>
  text
    .split(COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/[^\n]+/g, printable)))
    .join("");

/** A line of a program's output: its colours are kept where they are seen, and end with the line. */
export const coloured = (line: string, keep: boolean): string =>
  keep && COLOUR.test(line) ? `${guarded(line.replaceAll("\n", " "))}\u001b[0m` : printable(line);

/**
 * Rows as columns that line up; the last column is as long as it is. With `columns` (a terminal's width) a last cell that
 * would not fit goes on in the next lines, below itself.
 */
export const table = (rows: readonly (readonly string[])[], columns = Number.POSITIVE_INFINITY): string => {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  return rows
    .map((row) => {
      const before = row.slice(0, -1).map((cell, column) => `${cell + " ".repeat((widths[column] ?? 0) - width(cell))}  `);
      const indent = before.reduce((sum, cell) => sum + width(cell), 0);
      const last = row.at(-1) ?? "";
      const room = columns - indent;
      const lines = width(last) <= room || room < NARROWEST ? [last] : wrapped(last, room);
      return lines.map((line, at) => `${at === 0 ? before.join("") : " ".repeat(indent)}${line}`.trimEnd()).join("\n");
    })
    .join("\n");
};

/** Where less is left than this, lines are not broken: the terminal does it. */
const NARROWEST = 20;

/** A text in lines of at most that width, broken between words; a longer word stays whole, so that it can be copied. */
function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S)(?= )/)) {
    if (line !== "" && width(line + word) > room) {
      lines.push(line);
      line = word.trimStart();
    } else line += word;
  }
  return [...lines, line];
}

/**
 * Rows for a list, one line each, on a terminal of that width: where they do not fit, whole columns go, in the order of
 * `spare` (by their heads), and then the end of a line.
 */
export const list = (rows: readonly (readonly string[])[], spare: readonly string[], columns = Number.POSITIVE_INFINITY): string => {
  const shown = table(rows);
  if (shown.split("\n").every((line) => width(line) <= columns)) return shown;
  // the last column may be cut, but not to nothing
  const fixed = table(rows.map((row) => [...row.slice(0, -1), ""]));
  const [first, ...others] = spare;
  if (first !== undefined && Math.max(...fixed.split("\n").map(width)) + NARROWEST > columns) {
    const column = rows[0]?.indexOf(first) ?? -1;
    return list(column < 0 ? rows : rows.map((row) => row.toSpliced(column, 1)), others, columns);
  }
  return shown
    .split("\n")
    .map((line) => cut(line, columns))
    .join("\n");
};

/** The beginning of a line that fits, with an ellipsis; colours are kept, and end. */
function cut(line: string, columns: number): string {
  if (width(line) <= columns) return line;
  let kept = "";
  let used = 0;
  for (const part of line.split(COLOUR)) {
    if (COLOUR.test(part)) {
      kept += part;
      continue;
    }
    for (const { segment } of GRAPHEMES.segment(part)) {
      if (used + width(segment) > columns - 1) return `${kept}…`;
      kept += segment;
      used += width(segment);
    }
  }
  return kept;
}

const GRAPHEMES = new Intl.Segmenter();
/** What takes two columns of a terminal: emoji, and the scripts of East Asia. */
const WIDE =
  /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/** Columns of a terminal that a text takes. */
const width = (cell: string): number => {
  const text = stripVTControlCharacters(cell);
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of GRAPHEMES.segment(text)) columns += /^[\p{Mark}\p{Format}]*$/u.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  return columns;
};

const STATUS: Readonly<Record<string, Style>> = { live: "green", success: "green", failed: "red", held: "yellow" };

/** A status (`live`, `failed`, `held` …), or a text about one, in its colour. */
export const statusStyle = (status: string): Style | undefined => STATUS[status];
