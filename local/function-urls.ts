import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { PreludeRefused } from "../engine/open-next/streamed-answer.ts";
import type { Answer } from "./edge/answer.ts";
import { functionEvent } from "./edge/function-event.ts";
import { answerOf, streamedAnswerOf } from "./edge/function-result.ts";
import type { FunctionUrlHandler } from "./endpoint/endpoint.ts";
import { AwsError, type AwsResponse } from "./http.ts";
import type { LocalLambda } from "./lambda/lambda.ts";
import { refusalAnswer, TooManyRequests } from "./lambda/refusals.ts";
import { BrokenOff } from "./lambda/streamed-response.ts";

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
    const answered = await lambda.request(target.functionName, target.qualifier, event).catch(unlessThrottled);
    if ("status" in answered) return answered;
    if ("payload" in answered && answered.functionError !== undefined) return { status: 502, body: "Internal Server Error" };
    const answer = "body" in answered ? await streamed(answered) : answerOf(answered.payload);
    if (answer === undefined) return { status: 502, body: "Internal Server Error" };
    return { status: answer.status, headers: byName(answer.headers), body: answer.body };
  };

/** A URL of a function that finds no room answers as Lambda's API does. */
export const unlessThrottled = (error: unknown): AwsResponse => {
  if (error instanceof TooManyRequests) return refusalAnswer(error);
  throw error;
};

/** `undefined` where it broke off before its head was whole, or has none: its function's log says why. */
const streamed = async ({ contentType, body }: { contentType: string; body: Readable }): Promise<Answer | undefined> => {
  try {
    return await streamedAnswerOf(contentType, body);
  } catch (error) {
    if (error instanceof BrokenOff || error instanceof PreludeRefused) return undefined;
    throw error;
  }
};

/** Each cookie is a header of its own: joined by a comma, a browser would take them for one. */
const byName = (headers: Answer["headers"]): Record<string, string | string[]> =>
  Object.fromEntries(
    [...Map.groupBy(headers, ([name]) => name)].map(([name, all]) => [
      name,
      all.length === 1 ? (all[0]?.[1] ?? "") : all.map(([, value]) => value),
    ]),
  );
