import { routeOf } from "../lambda/routes.ts";
import { INVALIDATIONS, isListing } from "./cloudfront.ts";
import { keyValueOperation } from "./key-value-api.ts";

/** Names of the REST services' operations, as their SDK commands are called; `GET /some/path` where none is known. */

export const lambdaOperation = (method: string, path: string): string => routeOf(method, path)?.operation ?? `${method} ${path}`;

export const cloudFrontOperation = (method: string, path: string): string =>
  isListing(method, path)
    ? "ListDistributions"
    : method === "POST" && INVALIDATIONS.test(path)
      ? "CreateInvalidation"
      : `${method} ${path}`;

export const keyValueStoreOperation = (method: string, path: string): string => keyValueOperation(method, path) ?? `${method} ${path}`;

const ON_OBJECT: Readonly<Record<string, string>> = { GET: "GetObject", PUT: "PutObject", HEAD: "HeadObject", DELETE: "DeleteObject" };
const ON_BUCKET: Readonly<Record<string, string>> = { GET: "ListObjects", PUT: "CreateBucket", HEAD: "HeadBucket", DELETE: "DeleteBucket" };

export function s3Operation(
  method: string,
  path: string,
  query: URLSearchParams,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string {
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  if (bucket === "") return "ListBuckets";
  if (key === "") {
    if (query.has("delete")) return "DeleteObjects";
    if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2";
    return ON_BUCKET[method] ?? `${method} bucket`;
  }
  const copied = headers["x-amz-copy-source"] !== undefined;
  if (query.has("uploads")) return "CreateMultipartUpload";
  if (query.has("partNumber") && method === "PUT") return copied ? "UploadPartCopy" : "UploadPart";
  if (query.has("uploadId")) return method === "DELETE" ? "AbortMultipartUpload" : "CompleteMultipartUpload";
  if (method === "PUT" && copied) return "CopyObject";
  return ON_OBJECT[method] ?? `${method} object`;
}
