import type { LambdaFunctionURLEvent } from "aws-lambda";
import { handle } from "hono/aws-lambda";
import type { Engine } from "../kit/engine.ts";
import { onLambda } from "../kit/lambda.ts";
import { createApi } from "./app.ts";
import { apiPorts } from "./wiring.ts";

export const wire = (engine: Engine) => {
  const answer = handle(createApi(apiPorts(engine)));
  return (event: LambdaFunctionURLEvent) => answer(event as unknown as Parameters<typeof answer>[0]);
};

export const handler = onLambda(wire);
