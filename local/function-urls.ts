import { randomUUID } from "node:crypto";
import type { Answer } from "./edge/answer.ts";
import { functionEvent } from "./edge/function-event.ts";
import { answerOf } from "./edge/function-result.ts";
import type { FunctionUrlHandler } from "./endpoint/endpoint.ts";
import { AwsError } from "./http.ts";
import type { LocalLambda } from "./lambda/lambda.ts";

/** Serves Function URLs: each belongs to a function's alias, and runs it with the request as its event. */
export const functionUrls =
  (lambda: LocalLambda): FunctionUrlHandler =>
  async (urlId, { method, path, query, headers, body }, signed) => {
    const target = lambda.functionUrl(urlId);
    if (target === undefined) throw new AwsError("ResourceNotFoundException", 404, `There is no function URL ${urlId}`);
    if (target.authType !== "NONE") await signed();
    const question = query.size > 0 ? `?${query}` : "";
    const asked = { method, url: path + question, headers: { ...headers }, httpVersion: "1.1", socket: { remoteAddress: "127.0.0.1" } };
    const event = functionEvent(asked, body, false, randomUUID(), Date.now());
    const { payload, functionError } = await lambda.invoke(target.functionName, target.qualifier ?? "$LATEST", JSON.stringify(event));
    if (functionError !== undefined) return { status: 502, body: "Internal Server Error" };
    const answer = answerOf(payload);
    return { status: answer.status, headers: byName(answer.headers), body: answer.body };
  };

/** Each cookie is a header of its own: joined by a comma, a browser would take them for one. */
const byName = (headers: Answer["headers"]): Record<string, string | string[]> =>
  Object.fromEntries(
    [...Map.groupBy(headers, ([name]) => name)].map(([name, all]) => [
      name,
      all.length === 1 ? (all[0]?.[1] ?? "") : all.map(([, value]) => value),
    ]),
  );
