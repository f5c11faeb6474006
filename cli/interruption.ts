import { ENDING_SIGNALS } from "./failure.ts";

export type EndingSignal = keyof typeof ENDING_SIGNALS;

/** Why a command's signal was aborted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: EndingSignal;
  constructor(signal: EndingSignal) {
    super(`${signal} came`);
    this.signal = signal;
  }
}

/** npm hands on the Ctrl-C that the terminal has sent to the command already: within this time it is the same one. */
const ONE_PRESS_MS = 1_000;

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP (its reason is `Interrupted`); whoever sends another is tired of waiting. */
export function onEndingSignal(tired: (signal: EndingSignal) => void): AbortSignal {
  const interruption = new AbortController();
  let first = 0;
  for (const signal of Object.keys(ENDING_SIGNALS) as EndingSignal[])
    process.on(signal, () => {
      if (interruption.signal.aborted) {
        if (performance.now() - first > ONE_PRESS_MS) tired(signal);
        return;
      }
      first = performance.now();
      interruption.abort(new Interrupted(signal));
    });
  return interruption.signal;
}
