import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { buckets } from "../../blueprint/stores.ts";
import { AwsError } from "../http.ts";
import type { S3Store } from "./fauxqs.ts";

/** A request to S3 after its body was read; headers and body may be rewritten for what comes after. */
export type S3Request = {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Record<string, string | string[] | undefined>;
  body: unknown;
};

/** Sub-resources that fauxqs would take for a plain GET or PUT of the bucket or object. */
const UNSUPPORTED = [
  "accelerate",
  "acl",
  "cors",
  "encryption",
  "legal-hold",
  "location",
  "logging",
  "notification",
  "object-lock",
  "ownershipControls",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "tagging",
  "torrent",
  "versioning",
  "versions",
  "website",
];

/**
 * What S3 promises and fauxqs does not keep: bodies in `aws-chunked` are unpacked, checksums are compared, and
 * `If-None-Match: *` and `If-Match` hold for writes. Runs in the same turn as the write itself, so of several writers of
 * one key exactly one finds it absent. Throws the `AwsError` that S3 would answer.
 */
export function applyS3Rules(request: S3Request, store: S3Store): void {
  const unsupported = UNSUPPORTED.find((name) => name in request.query);
  if (unsupported) throw new AwsError("NotImplemented", 501, `The local S3 has no ?${unsupported}.`);
  if (request.method !== "PUT" && request.method !== "POST") return;

  request.body ??= Buffer.alloc(0);
  verifySignedDigest(request);
  unpack(request);
  if (carriesData(request)) verifyDigests(request.headers, request.body as Buffer);
  if (createsObject(request)) checkPreconditions(request, store);
  if (request.method === "PUT" && request.headers["x-amz-copy-source"] !== undefined) checkCopy(request);
}

/** Folders of an environment whose names its functions may list. */
const OWN_FOLDER = /^[^/]+\/[^/]+\/_(cache|assets)\//;

/**
 * What S3 answers a site's function of the bucket of files, whose role may list its environment's own folders there alone. A key that is not there is 403:
 * whether there is one could be asked for by listing, and the condition on the prefix holds for no request of a single key.
 */
export function checkListing({ method, bucket, key, query }: S3Request, store: S3Store): void {
  // what a site's own permissions say of other buckets is not known here
  if ((method !== "GET" && method !== "HEAD") || bucket !== buckets.static.name) return;
  const isThere = key === "" ? OWN_FOLDER.test(String(query.prefix ?? "")) : store.buckets.get(bucket)?.has(key);
  if (!isThere) throw new AwsError("AccessDenied", 403, "Access Denied");
}

const carriesData = ({ method, headers, query }: S3Request): boolean =>
  (method === "PUT" && headers["x-amz-copy-source"] === undefined) || (method === "POST" && "delete" in query);

/** A part of a multipart upload creates nothing yet; its completion does. */
const createsObject = ({ method, key, query }: S3Request): boolean =>
  key !== "" && ((method === "PUT" && !("partNumber" in query)) || (method === "POST" && "uploadId" in query));

function checkPreconditions({ bucket, key, headers }: S3Request, store: S3Store): void {
  const existing = store.buckets.get(bucket)?.get(key);
  const failed = "At least one of the pre-conditions you specified did not hold";
  if (headers["if-none-match"] === "*" && existing) throw new AwsError("PreconditionFailed", 412, failed);
  const match = headers["if-match"];
  if (match === undefined) return;
  if (!existing) throw new AwsError("NoSuchKey", 404, "The specified key does not exist.");
  if (match !== "*" && String(match).replaceAll('"', "") !== existing.etag.replaceAll('"', "")) {
    throw new AwsError("PreconditionFailed", 412, failed);
  }
}

/** What a copy may carry here besides its source: fauxqs would copy without a word, whatever else is asked. */
const OF_COPIES = ["x-amz-copy-source", "x-amz-metadata-directive", "x-amz-tagging-directive", "x-amz-copy-source-range"];

function checkCopy({ bucket, key, headers }: S3Request): void {
  const unknown = Object.keys(headers).find((name) => /^x-amz-(copy-source|tagging)/.test(name) && !OF_COPIES.includes(name));
  if (unknown) throw new AwsError("NotImplemented", 501, `The local S3 has no ${unknown}.`);
  for (const name of ["x-amz-metadata-directive", "x-amz-tagging-directive"])
    if (!["COPY", "REPLACE", undefined].includes(headers[name] as string | undefined))
      throw new AwsError("InvalidArgument", 400, `Unknown ${name.slice("x-amz-".length).replace("-", " ")}.`);
  const source = String(headers["x-amz-copy-source"]);
  if (source.includes("?")) throw new AwsError("NotImplemented", 501, "The local S3 has no versions to copy.");
  const isReplaced = headers["x-amz-metadata-directive"] === "REPLACE";
  if (!isReplaced && decoded(source).replace(/^\//, "") === `${bucket}/${key}`)
    throw new AwsError(
      "InvalidRequest",
      400,
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
}

function decoded(source: string): string {
  try {
    return decodeURIComponent(source);
  } catch {
    throw new AwsError("InvalidArgument", 400, "The copy source must be URL-encoded.");
  }
}

/**
 * Replaces an `aws-chunked` body by its content, and its trailers by headers. The coding is taken out of
 * `content-encoding`, which keeps what else it says (fauxqs would forget a `gzip` beside it).
 */
function unpack(request: S3Request): void {
  const { headers } = request;
  const codings = String(headers["content-encoding"] ?? "")
    .split(",")
    .map((coding) => coding.trim());
  const streaming = String(headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-");
  if (!streaming && !codings.includes("aws-chunked")) return;
  const rest = codings.filter((coding) => coding !== "aws-chunked" && coding !== "").join(",");
  if (rest) headers["content-encoding"] = rest;
  else delete headers["content-encoding"];
  const { body, trailers } = decodeChunks(request.body as Buffer);
  Object.assign(headers, trailers, { "content-length": String(body.length) });
  request.body = body;
}

/** `<hex size>[;extension]\r\n<data>\r\n … 0\r\n[name:value\r\n …]\r\n` */
export function decodeChunks(encoded: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = encoded.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(encoded.toString("latin1", at, lineEnd), 16);
    if (!(size >= 0) || lineEnd + 2 + size > encoded.length) {
      throw new AwsError("IncompleteBody", 400, "The aws-chunked body ends before its last chunk.");
    }
    at = lineEnd + 2 + size;
    if (size === 0) break;
    chunks.push(encoded.subarray(lineEnd + 2, at));
    at += 2;
  }
  const trailers: Record<string, string> = {};
  for (const line of encoded.toString("latin1", at).split("\r\n")) {
    const [name, ...value] = line.split(":");
    if (name && value.length > 0) trailers[name.trim().toLowerCase()] = value.join(":").trim();
  }
  return { body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks), trailers };
}

/** The digest is a signed header; the body that it stands for has come only now. */
function verifySignedDigest({ headers, body }: S3Request): void {
  const signed = String(headers["x-amz-content-sha256"] ?? "");
  if (!/^[0-9a-f]{64}$/.test(signed) || hash("sha256", body as Buffer) === signed) return;
  throw new AwsError("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.");
}

const DIGESTS: Readonly<Record<string, (data: Buffer) => string>> = {
  "content-md5": (data) => createHash("md5").update(data).digest("base64"),
  "x-amz-checksum-sha256": (data) => createHash("sha256").update(data).digest("base64"),
  "x-amz-checksum-sha1": (data) => createHash("sha1").update(data).digest("base64"),
  "x-amz-checksum-crc32": (data) => {
    const four = Buffer.alloc(4);
    four.writeUInt32BE(crc32(data));
    return four.toString("base64");
  },
};

function verifyDigests(headers: S3Request["headers"], data: Buffer): void {
  for (const [header, digest] of Object.entries(DIGESTS)) {
    const claimed = headers[header];
    if (claimed === undefined) continue;
    const actual = digest(data);
    if (claimed !== actual) {
      throw new AwsError("BadDigest", 400, `The ${header} you specified (${claimed}) did not match what was received (${actual}).`);
    }
  }
}
