import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";

/** How an outlet is: open, without a reader, or with the error (a full disk, say) that it met first. */
export type Fate = "open" | "closed" | NodeJS.ErrnoException;

/** A stream of this process that may lose its reader or its disk at any time: no write to it ever ends the process. */
export type Outlet = {
  write(text: string): void;
  /** Resolves when everything before was taken, or cannot be any more. */
  settled(): Promise<Fate>;
};

/** A pipe whose reader ended, a terminal that was closed, a stream that is at its end. */
const CLOSED = new Set(["EPIPE", "EIO", "ECONNRESET", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"]);

/** Takes over a stream's errors. What is written after the first one goes nowhere. */
export function openOutlet(stream: Writable): Outlet {
  let fate: Fate = "open";
  let last: Promise<void> = Promise.resolve();
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (fate === "open") fate = CLOSED.has(error.code ?? "") ? "closed" : error;
  });
  return {
    write(text) {
      if (fate === "open") last = new Promise((resolve) => stream.write(text, () => resolve()));
    },
    settled: async () => {
      await last;
      // of what others wrote to it (commander its help), an error comes a moment later
      await setImmediate();
      return fate;
    },
  };
}
