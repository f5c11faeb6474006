import { consumer } from "../kit/consumer.ts";
import { type Engine, projectOf } from "../kit/engine.ts";
import { onLambda } from "../kit/lambda.ts";
import { maxReceives } from "../kit/receives.ts";
import { BuildStateChange, watchBuild } from "./watch-build.ts";

export const wire = ({ aggregates, builds, queues }: Engine) =>
  consumer(
    maxReceives("watch-build"),
    queues.mailroom("watch-build"),
    (body) => BuildStateChange.parse(JSON.parse(body)),
    watchBuild({ aggregates, builds, projectOf }),
  );

export const handler = onLambda(wire);
