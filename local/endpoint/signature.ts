import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import type { AccessKey } from "./access-key.ts";
import { type Refuse, refusals } from "./signature-refusals.ts";
import { ALGORITHM_V4A, isSignedV4a, type Signable } from "./signature-v4a.ts";

/** The part of a request that a signature covers, as it came in. */
export type Signed = { readonly method: string; readonly path: string; readonly query: string; readonly headers: IncomingHttpHeaders };

/** How far a request's clock may be from ours, as on AWS. */
const SKEW_MS = 15 * 60_000;
const PRESIGNED_SECONDS_MAX = 7 * 24 * 3600;
/** Services without a region take Version 4A alone, the others Version 4 alone. */
const WITHOUT_REGION: readonly string[] = ["cloudfront-keyvaluestore"];
const AUTHORIZATION = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;
const AUTHORIZATION_V4A = new RegExp(
  `^${ALGORITHM_V4A} +Credential=([^,\\s]+),\\s*SignedHeaders=([^,\\s]+),\\s*Signature=((?:[0-9a-f]{2}){8,72})$`,
);
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const PRESIGNED = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"];

/** What a request claims of itself, before any of it is believed. */
type Claim = {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly date: string;
  /** made with a key pair, and for no region: Signature Version 4A */
  readonly v4a: boolean;
  /** of a presigned URL only */
  readonly expiresSeconds: number | undefined;
};

/**
 * Checks that a request was signed with one of these keys (AWS Signature Version 4, in the header or in a presigned URL, or
 * Version 4A in the header). A signature of Version 4 is made again by the SDK's own signer and compared.
 *
 * @param body what came, to be held against the signed digest; `undefined` for S3, which signs the digest as a header
 *   and compares it when it has read the body
 * @returns the key that it was signed with
 * @throws AwsError as AWS answers: without a signature, with an unknown key, out of time, or when anything differs
 */
export const signatureCheck =
  (keys: readonly AccessKey[], now: () => number = Date.now) =>
  async (request: Signed, service: string, body: Buffer | undefined): Promise<AccessKey> => {
    const refuse = refusals(service);
    const query = new URLSearchParams(request.query.replaceAll("+", "%2B"));
    const claim = WITHOUT_REGION.includes(service) ? claimV4aOf(request, refuse) : claimOf(request, query, refuse);
    const key = keys.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
    if (key === undefined || sessionToken(request, query)) throw refuse.unknownKey();
    if (claim.service !== service) throw refuse.mismatch(`Credential should be scoped to correct service: '${service}'.`);
    checkTime(claim, now(), refuse);
    checkSignedHeaders(request, claim, refuse);
    checkDigest(request, claim, body, refuse);
    if (!(await isSigned(request, query, claim, key, body)))
      throw refuse.mismatch(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
      );
    return key;
  };

function claimOf({ headers }: Signed, query: URLSearchParams, refuse: Refuse): Claim {
  const presigned = query.has("X-Amz-Signature") && headers.authorization === undefined;
  if (!presigned && headers.authorization === undefined) throw refuse.unsigned();
  const [credential = "", names = "", signature = ""] = presigned
    ? [query.get("X-Amz-Credential") ?? "", query.get("X-Amz-SignedHeaders") ?? "", query.get("X-Amz-Signature") ?? ""]
    : (AUTHORIZATION.exec(headers.authorization ?? "")?.slice(1) ?? []);
  const date = (presigned ? query.get("X-Amz-Date") : headers["x-amz-date"]) ?? "";
  const [accessKeyId = "", day = "", region = "", service = "", end] = credential.split("/");
  if (end !== "aws4_request" || !/^[0-9a-f]{64}$/.test(signature) || !DATE.test(String(date)))
    throw refuse.mismatch("The signature is not one of Signature Version 4: it needs a credential, the signed headers and a date.");
  const expiresSeconds = presigned ? Number(query.get("X-Amz-Expires") ?? Number.NaN) : undefined;
  return { accessKeyId, day, region, service, signedHeaders: names.split(";"), signature, date: String(date), v4a: false, expiresSeconds };
}

function claimV4aOf({ headers }: Signed, refuse: Refuse): Claim {
  if (headers.authorization === undefined) throw refuse.unsigned();
  const [, credential = "", names = "", signature = ""] = AUTHORIZATION_V4A.exec(headers.authorization) ?? [];
  const date = String(headers["x-amz-date"] ?? "");
  const [accessKeyId = "", day = "", service = "", end] = credential.split("/");
  if (end !== "aws4_request" || !DATE.test(date))
    throw refuse.mismatch("The signature is not one of Signature Version 4A: it needs a credential, the signed headers and a date.");
  const signedHeaders = names.split(";");
  return { accessKeyId, day, region: "*", service, signedHeaders, signature, date, v4a: true, expiresSeconds: undefined };
}

/** The access key has none: a request with one was signed with other credentials. */
const sessionToken = ({ headers }: Signed, query: URLSearchParams): boolean =>
  headers["x-amz-security-token"] !== undefined || query.has("X-Amz-Security-Token");

function checkTime({ date, day, expiresSeconds }: Claim, now: number, refuse: Refuse): void {
  const signedAt = timeOf(date);
  if (Number.isNaN(signedAt) || day !== date.slice(0, 8))
    throw refuse.mismatch(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: ${day}.`);
  if (signedAt - now > SKEW_MS) throw refuse.skewed(`Signature not yet current: ${date} is more than 15 minutes ahead.`);
  if (expiresSeconds === undefined) {
    if (now - signedAt > SKEW_MS) throw refuse.skewed(`Signature expired: ${date} is more than 15 minutes ago.`);
  } else if (!(expiresSeconds > 0 && expiresSeconds <= PRESIGNED_SECONDS_MAX)) {
    throw refuse.mismatch("X-Amz-Expires must be between 1 second and seven days.");
  } else if (now > signedAt + expiresSeconds * 1000) {
    throw refuse.expired();
  }
}

const timeOf = (date: string): number => Date.parse(date.replace(DATE, "$1-$2-$3T$4:$5:$6Z"));

/** What is not signed could be changed on the way: the host, and every header that means something to AWS, must be. */
function checkSignedHeaders({ headers }: Signed, { signedHeaders }: Claim, refuse: Refuse): void {
  const needed = ["host", ...Object.keys(headers).filter((name) => name.startsWith("x-amz-"))];
  const missing = needed.filter((name) => !signedHeaders.includes(name));
  if (missing.length > 0) throw refuse.mismatch(`There were headers present in the request which were not signed: ${missing.join(", ")}.`);
}

function checkDigest({ headers }: Signed, { expiresSeconds }: Claim, body: Buffer | undefined, refuse: Refuse): void {
  const claimed = headers["x-amz-content-sha256"];
  if (body !== undefined && claimed !== undefined && claimed !== hash("sha256", body))
    throw refuse.mismatch("The provided x-amz-content-sha256 header does not match what was computed.");
  if (body === undefined && claimed === undefined && expiresSeconds === undefined)
    throw refuse.mismatch("Missing required header for this request: x-amz-content-sha256.");
}

async function isSigned(request: Signed, query: URLSearchParams, claim: Claim, key: AccessKey, body: Buffer | undefined): Promise<boolean> {
  const made = madeOf(request, query, claim, body);
  if (claim.v4a) return isSignedV4a({ ...claim, request: made }, key);
  const expected = await signatureOf(made, claim, key);
  return timingSafeEqual(Buffer.from(expected, "hex"), Buffer.from(claim.signature, "hex"));
}

const madeOf = (request: Signed, query: URLSearchParams, { service, signedHeaders }: Claim, body: Buffer | undefined): Signable => ({
  method: request.method,
  protocol: "http:",
  hostname: "127.0.0.1",
  path: service === "s3" ? canonicalPath(request.path) : request.path,
  query: recordOf(query),
  headers: Object.fromEntries(signedHeaders.map((name) => [name, textOf(request.headers[name])])),
  // a body that cannot be digested yet stands for UNSIGNED-PAYLOAD
  body: body ?? {},
});

async function signatureOf(made: Signable, claim: Claim, key: AccessKey): Promise<string> {
  const { service, region, date, signedHeaders, expiresSeconds } = claim;
  const signer = new SignatureV4({
    service,
    region,
    credentials: key,
    sha256: Sha256,
    uriEscapePath: service !== "s3",
    applyChecksum: false,
  });
  const all = new Set(signedHeaders);
  const signingDate = new Date(timeOf(date));
  if (expiresSeconds === undefined) {
    const { headers } = await signer.sign(made, { signingDate, signableHeaders: all });
    return /Signature=(\w+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  }
  const { query: signed } = await signer.presign(made, {
    signingDate,
    expiresIn: expiresSeconds,
    signableHeaders: all,
    unhoistableHeaders: all,
  });
  return String(signed?.["X-Amz-Signature"]);
}

/** S3 signs each part of a key encoded in one way, however much of it the client encoded on the wire. */
const canonicalPath = (path: string): string => path.split("/").map(canonical).join("/");

const canonical = (part: string): string => {
  try {
    return encodeURIComponent(decodeURIComponent(part)).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  } catch {
    // no text: it is signed as it came
    return part;
  }
};

/** The parameters that are signed: those of the presigned URL itself are added by the signer. */
function recordOf(query: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(query.keys())].filter((name) => !PRESIGNED.includes(name));
  return Object.fromEntries(names.map((name) => [name, query.getAll(name)]));
}

const textOf = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(",") : (value ?? ""));
