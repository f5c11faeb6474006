/**
 * What an error of AWS means to who asked; the one place that knows AWS's own names for it. `undefined`: none of these.
 * - `missing`: there is no such thing
 * - `exists`: there is one already
 * - `changed`: somebody else wrote since it was read, or a condition did not hold
 * - `busy`: ask again in a moment
 * - `refused`: the same request will be refused again
 */
export type AwsProblem = "missing" | "exists" | "changed" | "busy" | "refused";

const NAMES: Readonly<Record<AwsProblem, readonly string[]>> = {
  missing: [
    "ResourceNotFoundException",
    "NotFoundException",
    "NotFound",
    "NoSuchKey",
    "NoSuchBucket",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
  ],
  exists: ["ResourceExistsException"],
  changed: ["ConditionalCheckFailedException", "PreconditionFailedException", "PreconditionFailed", "ConflictException"],
  busy: ["ResourceConflictException", "ConditionalRequestConflict", "TooManyRequestsException", "PurgeQueueInProgress"],
  refused: [
    "InvalidInputException",
    "InvalidParameterException",
    "InvalidParameterValueException",
    "CodeStorageExceededException",
    "CodeVerificationFailedException",
    "RequestTooLargeException",
  ],
};
/** What a key-value store may answer to who wrote with an old version: no name of its own, only these words. */
const STALE_VERSION = /pre-?condition failed/i;
/** S3 answers some requests without a name. */
const STATUSES: Readonly<Record<number, AwsProblem>> = { 404: "missing", 409: "busy", 412: "changed" };
const PROBLEMS = Object.keys(NAMES) as AwsProblem[];

/** By the error's own name, else its HTTP status, else by what caused it: libraries wrap what AWS says. */
export const problemOf = (error: unknown): AwsProblem | undefined => {
  if (!(error instanceof Error)) return undefined;
  const { name = "", $metadata, cause } = error as Shape;
  if (name === "ValidationException" && STALE_VERSION.test(error.message)) return "changed";
  return PROBLEMS.find((problem) => NAMES[problem].includes(name)) ?? STATUSES[$metadata?.httpStatusCode ?? 0] ?? problemOf(cause);
};

/** What is being read, or `undefined` where AWS says that there is no such thing; anything else is thrown. */
export const unlessMissing = async <T>(look: Promise<T>): Promise<T | undefined> => {
  try {
    return await look;
  } catch (error) {
    if (problemOf(error) === "missing") return undefined;
    throw error;
  }
};

/** Who asks has no right to. */
export const isDenied = (error: unknown): boolean => error instanceof Error && /^AccessDenied(Exception)?$/.test(error.name);

/** As many as the account may have are there or running: room comes when others end. */
export const isLimit = (error: unknown): error is Error => error instanceof Error && error.name === "AccountLimitExceededException";

/** Lambda ran nothing: as many functions run as the account may run at once, or more were asked for than it takes. */
export const isThrottled = (error: unknown): boolean =>
  error instanceof Error && (error.name === "TooManyRequestsException" || isThrottled(error.cause));

/** Nobody answered within the time that the caller had: what was asked may be done all the same. */
export const isOutOfTime = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** The disk of a store on one machine is full (HTTP 507): its sentence is meant for the person who asked. */
export const isStoreFull = (error: unknown): error is Error => error instanceof Error && (error as Shape).$metadata?.httpStatusCode === 507;

/** Names under which a service (or another writer of ours) asks for patience, or the SDK says that nobody answered. */
const PATIENCE =
  /Busy|Throttl|TooManyRequests|SlowDown|RequestLimitExceeded|ProvisionedThroughputExceeded|ServiceUnavailable|InternalServer|Timeout/;
/** The network's own words. */
const UNREACHABLE = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

type Shape = { name?: string; code?: string; $fault?: string; $metadata?: { httpStatusCode?: number }; cause?: unknown };

/** Somebody else is at it, or has just changed it: who looks again sees what is there now. */
const BETTER_LATER: readonly unknown[] = ["busy", "changed"] satisfies AwsProblem[];

/** Whether a service was away, throttled, out of reach or at somebody else's change: the same call may do well later. */
export const isOutage = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  if (BETTER_LATER.includes(problemOf(error))) return true;
  const { name = "", code = "", $fault, $metadata, cause } = error as Shape;
  const status = $metadata?.httpStatusCode ?? 0;
  return $fault === "server" || status >= 500 || status === 429 || PATIENCE.test(name) || UNREACHABLE.includes(code) || isOutage(cause);
};

/** What DynamoDB left undone of a batch, as an error that says what it says of a whole request. */
export const noRoomFor = (table: string): Error =>
  Object.assign(new Error(`DynamoDB had no room for a part of what was asked of ${table}; ask again`), { name: "ThrottlingException" });
