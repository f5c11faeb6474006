import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readRecorded } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { aggregates, queues } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
import { advance } from "./advance.ts";

export const wire = ({ aggregates, clock, queues }: Pick<Engine, "aggregates" | "clock" | "queues">) =>
  consumer(
    maxReceives("advance"),
    queues.mailroom("advance"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent | EnvironmentEvent>,
    advance({ aggregates, clock }),
  );

export const handler = onLambda({ aggregates, queues }, wire);
