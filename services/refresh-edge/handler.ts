import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readRecorded } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { aggregates, cdn, queues, site } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
import { refreshEdge } from "./refresh-edge.ts";

export const wire = ({ aggregates, site, cdn, queues }: Pick<Engine, "aggregates" | "site" | "cdn" | "queues">) =>
  consumer(
    maxReceives("refresh-edge"),
    queues.mailroom("refresh-edge"),
    (body) => readRecorded(body) as Recorded<EnvironmentEvent>,
    refreshEdge({ aggregates, site, invalidate: cdn.invalidate }),
  );

export const handler = onLambda({ aggregates, site, cdn, queues }, wire);
