import { AwsError } from "../http.ts";

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

/** 429 with Retry-After, as the shared limit of control-plane calls answers. */
export const throttled = () => new AwsError("TooManyRequestsException", 429, "Rate exceeded", { "retry-after": "1" });
