import type { LambdaFunctionURLEvent } from "aws-lambda";
import { handle } from "hono/aws-lambda";
import { onLambda } from "../../engine/wiring/lambda.ts";
import {
  addresses,
  aggregates,
  archive,
  back,
  buildLogs,
  builds,
  eventLog,
  events,
  functions,
  githubTokens,
  objects,
  people,
  queues,
  secrets,
  siteLetters,
  sources,
  store,
  versionFacts,
  views,
  webhookSecrets,
} from "../../engine/wiring/parts.ts";
import { createWeb } from "./web.ts";
import { type ApiEngine, apiPorts } from "./wiring.ts";

export const wire = (engine: ApiEngine) => {
  const answer = handle(createWeb(apiPorts(engine)));
  return (event: LambdaFunctionURLEvent) => answer(event as unknown as Parameters<typeof answer>[0]);
};

export const handler = onLambda(
  {
    addresses,
    aggregates,
    archive,
    back,
    buildLogs,
    builds,
    eventLog,
    events,
    functions,
    githubTokens,
    objects,
    people,
    queues,
    secrets,
    siteLetters,
    sources,
    store,
    versionFacts,
    views,
    webhookSecrets,
  },
  wire,
);
