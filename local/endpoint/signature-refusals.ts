import { AwsError } from "../http.ts";

/** How a service says no to a request that is not signed as it must be. */
export type Refuse = {
  unsigned(): AwsError;
  unknownKey(): AwsError;
  mismatch(why: string): AwsError;
  /** too far from the present */
  skewed(why: string): AwsError;
  /** a presigned URL whose time is over */
  expired(): AwsError;
};

const UNSIGNED = "Missing Authentication Token: sign the request with the access key of this data folder (access-key.json).";
const UNKNOWN =
  "The security token included in the request is invalid: the local AWS knows the access key of its own data folder (access-key.json) and no other.";
const EXPIRED = "Request has expired.";

/** Codes and statuses differ: S3 has its own, query and XML services one set, JSON services another. */
export function refusals(service: string): Refuse {
  if (service === "s3") {
    return {
      unsigned: () => new AwsError("AccessDenied", 403, UNSIGNED),
      unknownKey: () => new AwsError("InvalidAccessKeyId", 403, UNKNOWN),
      mismatch: (why) => new AwsError("SignatureDoesNotMatch", 403, why),
      skewed: (why) => new AwsError("RequestTimeTooSkewed", 403, why),
      expired: () => new AwsError("AccessDenied", 403, EXPIRED),
    };
  }
  const xml = service === "sts" || service === "cloudfront";
  const [missing, unknown, mismatch] = xml
    ? ["MissingAuthenticationToken", "InvalidClientTokenId", "SignatureDoesNotMatch"]
    : ["MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException"];
  const status = service === "dynamodb" ? 400 : 403;
  return {
    unsigned: () => new AwsError(missing, status, UNSIGNED),
    unknownKey: () => new AwsError(unknown, status, UNKNOWN),
    mismatch: (why) => new AwsError(mismatch, status, why),
    skewed: (why) => new AwsError(mismatch, status, why),
    expired: () => new AwsError(mismatch, status, EXPIRED),
  };
}
