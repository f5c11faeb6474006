import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const TAIL_LIMIT = 4096;

/** The lines that one process writes: handed on as they come, with the last ones kept for LogType Tail. */
export type LogLines = {
  /** Forgets what was kept: a new invocation begins. */
  begin(): void;
  /** The kept lines, once the environment has written its END line for the invocation, or a moment later without it. */
  tail(requestId: string): Promise<string>;
};

export const readLogLines = (streams: readonly (Readable | null)[], write: (line: string) => void): LogLines => {
  let kept: string[] = [];
  let size = 0;
  let ended: { requestId: string; resolve: () => void } | undefined;

  const take = (line: string) => {
    const end = /^END RequestId: ([0-9a-f-]{36})$/.exec(line)?.[1];
    if (!end) write(line);
    kept.push(line);
    size += line.length + 1;
    while (size > 2 * TAIL_LIMIT && kept.length > 1) size -= (kept.shift()?.length ?? 0) + 1;
    if (end && ended?.requestId === end) ended.resolve();
  };
  for (const stream of streams) if (stream) createInterface({ input: stream }).on("line", take);

  return {
    begin() {
      kept = [];
      size = 0;
    },
    async tail(requestId) {
      if (!kept.includes(`END RequestId: ${requestId}`)) {
        await new Promise<void>((resolve) => {
          ended = { requestId, resolve };
          setTimeout(resolve, 200);
        });
      }
      return kept.join("\n").slice(-TAIL_LIMIT);
    },
  };
};
