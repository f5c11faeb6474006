/** Names under which a service (or another writer of ours) asks for patience, or the SDK says that nobody answered. */
const PATIENCE =
  /Busy|Throttl|TooManyRequests|SlowDown|RequestLimitExceeded|ProvisionedThroughputExceeded|ServiceUnavailable|InternalServer|Timeout/;
/** The network's own words. */
const UNREACHABLE = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

type Shape = { name?: string; code?: string; $fault?: string; $metadata?: { httpStatusCode?: number }; cause?: unknown };

/** Whether a service was away, throttled or out of reach: the same call may do well once it is back. */
export const isOutage = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const { name = "", code = "", $fault, $metadata, cause } = error as Shape;
  const status = $metadata?.httpStatusCode ?? 0;
  return $fault === "server" || status >= 500 || status === 429 || PATIENCE.test(name) || UNREACHABLE.includes(code) || isOutage(cause);
};
