import { consumer } from "../../engine/kit/consumer.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, builds, projectOf, queues } from "../../engine/wiring/parts.ts";
import { BuildStateChange, watchBuild } from "./watch-build.ts";

export const wire = ({ aggregates, builds, queues }: Pick<Engine, "aggregates" | "builds" | "queues">) =>
  consumer(
    maxReceives("watch-build"),
    queues.mailroom("watch-build"),
    (body) => BuildStateChange.parse(JSON.parse(body)),
    watchBuild({ aggregates, builds, projectOf }),
  );

export const handler = onLambda({ aggregates, builds, queues }, wire);
