import { ConditionalCheckFailedException, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { ResourceConflictException, TooManyRequestsException } from "@aws-sdk/client-lambda";
import { describe, expect, it } from "vitest";
import { isDenied, isLimit, isOutage, isOutOfTime, isStoreFull, isThrottled, problemOf, unlessMissing } from "../../engine/aws/errors.ts";

const $metadata = {};
const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });
const answered = (httpStatusCode: number) => named("Unknown", { $metadata: { httpStatusCode } });

describe("an error of AWS", () => {
  it.each([
    ["missing", new ResourceNotFoundException({ message: "no table", $metadata })],
    ["missing", answered(404)],
    ["exists", named("ResourceExistsException")],
    ["changed", new ConditionalCheckFailedException({ message: "no", $metadata })],
    ["changed", answered(412)],
    ["busy", new ResourceConflictException({ message: "updating", $metadata })],
    ["busy", new TooManyRequestsException({ message: "slower", $metadata })],
    ["busy", answered(409)],
    ["refused", named("CodeStorageExceededException")],
    // its name says more than its status
    ["refused", named("InvalidParameterException", { $metadata: { httpStatusCode: 404 } })],
    [undefined, answered(500)],
    [undefined, new Error("something")],
    [undefined, "no error"],
  ])("means %s", (problem, error) => {
    expect(problemOf(error)).toBe(problem);
  });

  it("is known below what a library wraps around it", () => {
    const wrapped = new Error("ElectroDB failed", { cause: new ConditionalCheckFailedException({ message: "no", $metadata }) });
    expect(problemOf(wrapped)).toBe("changed");
  });

  it("that says that there is no such thing is an answer, and any other is thrown", async () => {
    expect(await unlessMissing(Promise.resolve(1))).toBe(1);
    expect(await unlessMissing(Promise.reject(answered(404)))).toBeUndefined();
    await expect(unlessMissing(Promise.reject(answered(403)))).rejects.toThrow("Unknown");
  });

  it("says that there was no room, whatever was made of it, or that it was not waited for", () => {
    const room = new TooManyRequestsException({ message: "Rate Exceeded.", $metadata });
    const errors = [room, new Error("no room", { cause: room }), named("AbortError"), answered(429)];
    expect(errors.map(isThrottled)).toEqual([true, true, false, false]);
    expect(errors.map(isOutOfTime)).toEqual([false, false, true, false]);
  });

  it("tells a limit, a full disk and an outage from each other", () => {
    const errors = [named("AccountLimitExceededException"), answered(507), answered(503)];
    expect(errors.map(isLimit)).toEqual([true, false, false]);
    expect([...errors, named("AccessDenied"), named("AccessDeniedException")].map(isDenied)).toEqual([false, false, false, true, true]);
    expect(errors.map(isStoreFull)).toEqual([false, true, false]);
    expect(errors.map(isOutage)).toEqual([false, true, true]);
    expect([answered(409), named("PreconditionFailedException"), answered(404)].map(isOutage)).toEqual([true, true, false]);
  });
});
