import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readRecorded } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { aggregates, builds, queues } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
import { stopBuild } from "./stop-build.ts";

export const wire = ({ aggregates, builds, queues }: Pick<Engine, "aggregates" | "builds" | "queues">) =>
  consumer(
    maxReceives("stop-build"),
    queues.mailroom("stop-build"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent>,
    stopBuild({ aggregates, builds }),
  );

export const handler = onLambda({ aggregates, builds, queues }, wire);
