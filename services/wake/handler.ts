import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { queues, rows } from "../../engine/wiring/parts.ts";
import { wake } from "./wake.ts";

export const wire = ({ queues, rows, clock }: Pick<Engine, "queues" | "rows" | "clock">) => {
  const run = wake({ rows, send: queues.send, now: clock.now });
  return (_event: unknown): Promise<void> => run();
};

export const handler = onLambda({ queues, rows }, wire);
