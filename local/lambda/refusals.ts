import { AwsError, type AwsResponse } from "../http.ts";

/** 404: the function, version, alias, URL, policy or mapping is not there. */
export const notFound = (message: string) => new AwsError("ResourceNotFoundException", 404, message);

/** 409: it exists already, something still uses it, or an update is in progress. */
export const conflict = (message: string) => new AwsError("ResourceConflictException", 409, message);

/** 400: Lambda understood the value and does not take it. */
export const invalid = (message: string) => new AwsError("InvalidParameterValueException", 400, message);

/** 400: the value breaks a constraint of the API's model (pattern, length, range). */
export const malformed = (message: string) => new AwsError("ValidationException", 400, message);

/** 412: the caller's RevisionId is no longer the current one. */
export const staleRevision = (readAgain: string) =>
  new AwsError(
    "PreconditionFailedException",
    412,
    `The RevisionId provided does not match the latest RevisionId. Call the ${readAgain} API to retrieve the latest RevisionId for your resource.`,
  );

/** 429, with what was too much. */
export class TooManyRequests extends AwsError {
  readonly reason: "CallerRateLimitExceeded" | "ConcurrentInvocationLimitExceeded";
  constructor(reason: TooManyRequests["reason"], message: string, headers: Readonly<Record<string, string>> = {}) {
    super("TooManyRequestsException", 429, message, headers);
    this.reason = reason;
  }
}

/** The control plane was called more often than the account may in a second. */
export const tooManyCalls = () => new TooManyRequests("CallerRateLimitExceeded", "Rate exceeded", { "retry-after": "1" });

/** As many invocations run as the account may have at once. */
export const tooManyAtOnce = () => new TooManyRequests("ConcurrentInvocationLimitExceeded", "Rate Exceeded.");

/** An error as Lambda's REST-JSON protocol has it. */
export const refusalAnswer = (error: AwsError): AwsResponse => ({
  status: error.status,
  headers: { "content-type": "application/json", ...error.headers, "x-amzn-errortype": error.code },
  body: JSON.stringify({
    Type: error.status < 500 ? "User" : "Service",
    ...(error instanceof TooManyRequests && { Reason: error.reason }),
    Message: error.message,
    message: error.message,
  }),
});
