import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const TAIL_LIMIT = 4096;

/** The lines that one process writes, handed on as they come and kept for LogType Tail. */
export type LogLines = {
  /** An invocation begins: the lines up to its END line are its own. Those of one that is `held` are not handed on until it is shown. */
  begin(requestId: string, held?: "held"): Excerpt;
};

export type Excerpt = {
  /** The last 4 KB of the lines, once END was read or a moment after it was asked for. */
  tail(): Promise<string>;
  /** Hands on what was held back. */
  show(): void;
};

type Open = { readonly end: string; readonly lines: string[]; readonly close: () => void; held: boolean };

export const readLogLines = (streams: readonly (Readable | null)[], write: (line: string) => void): LogLines => {
  /** Oldest first: a result overtakes its log, so a new invocation may begin before the log of the last one was read. */
  const open: Open[] = [];

  const take = (line: string) => {
    const excerpt = open[0];
    if (!excerpt || !line.endsWith(excerpt.end)) return keep(line);
    const unfinished = line.slice(0, -excerpt.end.length); // a last line without its newline
    if (unfinished) keep(unfinished);
    excerpt.lines.push(excerpt.end);
    excerpt.close();
    open.shift();
  };
  const keep = (line: string) => {
    const { lines, held = false } = open[0] ?? {};
    if (!held) write(line);
    lines?.push(line);
    if (lines && lines.length > TAIL_LIMIT) lines.shift();
  };
  for (const stream of streams) if (stream) createInterface({ input: stream }).on("line", take);

  return {
    begin(requestId, held) {
      let close = () => {};
      const complete = new Promise<void>((resolve) => {
        close = resolve;
      });
      const end = `END RequestId: ${requestId}`;
      const excerpt: Open = { end, lines: [], close, held: held !== undefined };
      open.push(excerpt);
      return {
        async tail() {
          setTimeout(close, 200).unref(); // a process that was killed writes no END
          await complete;
          return [`START RequestId: ${requestId}`, ...excerpt.lines].join("\n").slice(-TAIL_LIMIT);
        },
        show() {
          if (!excerpt.held) return;
          excerpt.held = false;
          for (const line of excerpt.lines) if (line !== end) write(line);
        },
      };
    },
  };
};
