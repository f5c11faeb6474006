import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readRecorded } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { maxReceives } from "../kit/receives.ts";
import { stopBuild } from "./stop-build.ts";

export const wire = ({ aggregates, builds, queues }: Engine) =>
  consumer(
    maxReceives("stop-build"),
    queues.mailroom("stop-build"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent>,
    stopBuild({ aggregates, builds }),
  );

export const handler = onLambda(wire);
