import type { Engine } from "../kit/engine.ts";
import { onLambda } from "../kit/lambda.ts";
import { archive } from "../kit/parts.ts";
import { startOfDay } from "../store/seal.ts";

/** Seals every day that is over, once, also one in which nothing happened. */
export const wire =
  ({ archive, clock, log }: Pick<Engine, "archive" | "clock" | "log">) =>
  async (_event: unknown): Promise<void> => {
    const sealed = await archive.seal(startOfDay(clock.now()));
    if (sealed !== undefined)
      log({ level: "info", message: "the log was sealed", number: sealed.number, until: sealed.until, count: sealed.count });
  };

export const handler = onLambda({ archive }, wire);
