import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { onLambda } from "../kit/lambda.ts";
import { aggregates, builds, projectOf, queues } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
import { BuildStateChange, watchBuild } from "./watch-build.ts";

export const wire = ({ aggregates, builds, queues }: Pick<Engine, "aggregates" | "builds" | "queues">) =>
  consumer(
    maxReceives("watch-build"),
    queues.mailroom("watch-build"),
    (body) => BuildStateChange.parse(JSON.parse(body)),
    watchBuild({ aggregates, builds, projectOf }),
  );

export const handler = onLambda({ aggregates, builds, queues }, wire);
