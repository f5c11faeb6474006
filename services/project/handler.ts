import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readNudge } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { maxReceives } from "../kit/receives.ts";
import { project } from "./project.ts";

export const wire = ({ store, views, queues }: Engine) =>
  consumer(maxReceives("project"), queues.mailroom("project"), readNudge, project({ read: store.read, views }));

export const handler = onLambda(wire);
