import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readRecorded } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, cdn, queues, site } from "../../engine/wiring/parts.ts";
import { refreshEdge } from "./refresh-edge.ts";

export const wire = ({ aggregates, site, cdn, queues }: Pick<Engine, "aggregates" | "site" | "cdn" | "queues">) =>
  consumer(
    maxReceives("refresh-edge"),
    queues.mailroom("refresh-edge"),
    (body) => readRecorded(body) as Recorded<EnvironmentEvent>,
    refreshEdge({ aggregates, site, invalidate: cdn.invalidate }),
  );

export const handler = onLambda({ aggregates, site, cdn, queues }, wire);
