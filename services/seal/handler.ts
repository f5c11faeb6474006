import { SealManifest } from "../../domain/kernel/seal.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { archive } from "../../engine/wiring/parts.ts";

/** Seals once on each day of the clock, also where nothing happened; a clock that went back seals once more. */
export const wire =
  ({ archive, clock, log }: Pick<Engine, "archive" | "clock" | "log">) =>
  async (_event: unknown): Promise<void> => {
    const before = await archive.latest();
    if (before !== undefined && dayOf(SealManifest.parse(JSON.parse(before.manifest)).sealedAt) === dayOf(timeOf(clock.now()))) return;
    const sealed = await archive.seal("nothing new");
    if (sealed !== undefined) log({ level: "info", message: "the log was sealed", number: sealed.number, count: sealed.count });
  };

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
const dayOf = (time: string): string => time.slice(0, 10);

export const handler = onLambda({ archive }, wire);
