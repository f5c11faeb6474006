/** Names of the REST services' operations, as their SDK commands are called; `GET /some/path` where none is known. */

/** One pattern per operation: method, then the path's shape behind the date, `*` for one segment. */
const LAMBDA: readonly (readonly [string, string])[] = [
  ["POST functions", "CreateFunction"],
  ["GET functions", "ListFunctions"],
  ["GET functions/*", "GetFunction"],
  ["DELETE functions/*", "DeleteFunction"],
  ["GET functions/*/configuration", "GetFunctionConfiguration"],
  ["PUT functions/*/configuration", "UpdateFunctionConfiguration"],
  ["PUT functions/*/code", "UpdateFunctionCode"],
  ["GET functions/*/versions", "ListVersionsByFunction"],
  ["POST functions/*/versions", "PublishVersion"],
  ["GET functions/*/aliases", "ListAliases"],
  ["POST functions/*/aliases", "CreateAlias"],
  ["GET functions/*/aliases/*", "GetAlias"],
  ["PUT functions/*/aliases/*", "UpdateAlias"],
  ["DELETE functions/*/aliases/*", "DeleteAlias"],
  ["POST functions/*/invocations", "Invoke"],
  ["GET functions/*/policy", "GetPolicy"],
  ["POST functions/*/policy", "AddPermission"],
  ["DELETE functions/*/policy/*", "RemovePermission"],
  ["GET functions/*/url", "GetFunctionUrlConfig"],
  ["POST functions/*/url", "CreateFunctionUrlConfig"],
  ["PUT functions/*/url", "UpdateFunctionUrlConfig"],
  ["DELETE functions/*/url", "DeleteFunctionUrlConfig"],
  ["PUT functions/*/concurrency", "PutFunctionConcurrency"],
  ["GET event-source-mappings", "ListEventSourceMappings"],
  ["POST event-source-mappings", "CreateEventSourceMapping"],
  ["GET event-source-mappings/*", "GetEventSourceMapping"],
  ["PUT event-source-mappings/*", "UpdateEventSourceMapping"],
  ["DELETE event-source-mappings/*", "DeleteEventSourceMapping"],
  ["GET account-settings", "GetAccountSettings"],
];

const CLOUDFRONT: readonly (readonly [string, string])[] = [
  ["GET distribution", "ListDistributions"],
  ["GET distribution/*", "GetDistribution"],
  ["POST distribution/*/invalidation", "CreateInvalidation"],
  ["GET distribution/*/invalidation", "ListInvalidations"],
  ["GET distribution/*/invalidation/*", "GetInvalidation"],
];

export const lambdaOperation = (method: string, path: string): string => named(LAMBDA, method, path);
export const cloudFrontOperation = (method: string, path: string): string => named(CLOUDFRONT, method, path);

function named(table: readonly (readonly [string, string])[], method: string, path: string): string {
  const segments = path.split("/").filter(Boolean).slice(1);
  for (const [shape, name] of table) {
    const [verb, pattern = ""] = shape.split(" ");
    const parts = pattern.split("/");
    if (verb === method && parts.length === segments.length && parts.every((part, at) => part === "*" || part === segments[at]))
      return name;
  }
  return `${method} ${path}`;
}

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
