import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const TAIL_LIMIT = 4096;

/** The lines that one process writes, handed on as they come and kept for LogType Tail. */
export type LogLines = {
  /**
   * An invocation begins: the lines up to its END line are its own.
   * The result gives the last 4 KB of them, once END was read or a moment after it was asked for.
   */
  begin(requestId: string): () => Promise<string>;
};

type Excerpt = { readonly end: string; readonly lines: string[]; readonly complete: Promise<void>; readonly close: () => void };

export const readLogLines = (streams: readonly (Readable | null)[], write: (line: string) => void): LogLines => {
  /** Oldest first: a result overtakes its log, so a new invocation may begin before the log of the last one was read. */
  const open: Excerpt[] = [];

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
    write(line);
    const lines = open[0]?.lines;
    lines?.push(line);
    if (lines && lines.length > TAIL_LIMIT) lines.shift();
  };
  for (const stream of streams) if (stream) createInterface({ input: stream }).on("line", take);

  return {
    begin(requestId) {
      let close = () => {};
      const complete = new Promise<void>((resolve) => {
        close = resolve;
      });
      const excerpt = { end: `END RequestId: ${requestId}`, lines: [], complete, close };
      open.push(excerpt);
      return async () => {
        setTimeout(close, 200).unref(); // a process that was killed writes no END
        await complete;
        return [`START RequestId: ${requestId}`, ...excerpt.lines].join("\n").slice(-TAIL_LIMIT);
      };
    },
  };
};
