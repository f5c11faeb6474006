import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readNudge } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { queues, store, views } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
import { project } from "./project.ts";

export const wire = ({ store, views, queues }: Pick<Engine, "store" | "views" | "queues">) =>
  consumer(maxReceives("project"), queues.mailroom("project"), readNudge, project({ read: store.read, views }));

export const handler = onLambda({ store, views, queues }, wire);
