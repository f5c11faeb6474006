import { consumer } from "../../engine/kit/consumer.ts";
import { readNudge } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { queues, store, views } from "../../engine/wiring/parts.ts";
import { project } from "./project.ts";

export const wire = ({ store, views, queues }: Pick<Engine, "store" | "views" | "queues">) =>
  consumer(maxReceives("project"), queues.mailroom("project"), readNudge, project({ read: store.read, views }));

export const handler = onLambda({ store, views, queues }, wire);
