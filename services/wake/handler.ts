import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { queues, views } from "../../engine/wiring/parts.ts";
import { wake } from "./wake.ts";

export const wire = ({ queues, views, clock }: Pick<Engine, "queues" | "views" | "clock">) => {
  const run = wake({ rows: views, send: queues.send, now: clock.now });
  return (_event: unknown): Promise<void> => run();
};

export const handler = onLambda({ queues, views }, wire);
