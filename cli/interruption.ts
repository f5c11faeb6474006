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

/**
 * npx runs a command below a shell. Told to end by SIGTERM it tells that shell alone, which does not hand it on: that the
 * shell is gone is all that arrives. Nowhere else is a parent that went away a reason to end.
 */
const SHELL_LOOK_MS = 500;

function onShellGone(gone: () => void): void {
  const shell = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(look);
    gone();
  }, SHELL_LOOK_MS).unref();
}

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP (its reason is `Interrupted`); whoever sends another is tired of waiting. */
export function onEndingSignal(tired: (signal: EndingSignal) => void): AbortSignal {
  const interruption = new AbortController();
  let first = 0;
  const come = (signal: EndingSignal): void => {
    if (interruption.signal.aborted) {
      if (performance.now() - first > ONE_PRESS_MS) tired(signal);
      return;
    }
    first = performance.now();
    interruption.abort(new Interrupted(signal));
  };
  for (const signal of Object.keys(ENDING_SIGNALS) as EndingSignal[]) process.on(signal, () => come(signal));
  // npx says so in the environment
  if (process.env.npm_command === "exec") onShellGone(() => come("SIGTERM"));
  return interruption.signal;
}
