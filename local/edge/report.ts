/** The header that names a request to who looks for its reason in the log. */
export const REQUEST_ID = "x-shiplog-request";

/** Writes one line of JSON: what went wrong with a request, and why. */
export const report = (requestId: string, what: string, reason: unknown): void => {
  console.error(
    JSON.stringify({ from: "edge", requestId, what, reason: reason instanceof Error ? (reason.stack ?? reason.message) : reason }),
  );
};
