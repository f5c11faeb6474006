import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readRecorded } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, builds, queues } from "../../engine/wiring/parts.ts";
import { stopBuild } from "./stop-build.ts";

export const wire = ({ aggregates, builds, queues }: Pick<Engine, "aggregates" | "builds" | "queues">) =>
  consumer(
    maxReceives("stop-build"),
    queues.mailroom("stop-build"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent>,
    stopBuild({ aggregates, builds }),
  );

export const handler = onLambda({ aggregates, builds, queues }, wire);
