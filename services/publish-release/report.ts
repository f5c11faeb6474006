import type { Clock } from "../../engine/kit/clock.ts";
import type { Report } from "../../engine/open-next/assets.ts";

/** Between two words of progress: people read slower. */
const EVERY_MS = 500;

/** Tells how far a step has come, now and then and at its end. Best effort: a lost word changes nothing. */
export const reporter = (
  clock: Pick<Clock, "now">,
  tell: (progress: { step: string; done: number; total: number }) => Promise<void>,
): Report => {
  let told = 0;
  return (step, done, total) => {
    const now = clock.now();
    if (done < total && now - told < EVERY_MS) return;
    told = now;
    tell({ step, done, total }).catch(() => undefined);
  };
};
