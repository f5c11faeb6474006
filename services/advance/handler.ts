import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readRecorded } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, queues } from "../../engine/wiring/parts.ts";
import { advance } from "./advance.ts";

export const wire = ({ aggregates, clock, queues }: Pick<Engine, "aggregates" | "clock" | "queues">) =>
  consumer(
    maxReceives("advance"),
    queues.mailroom("advance"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent | EnvironmentEvent>,
    advance({ aggregates, clock }),
  );

export const handler = onLambda({ aggregates, queues }, wire);
