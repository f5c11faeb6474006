import type { IncomingMessage } from "node:http";
import type { Signed } from "./signature.ts";

/**
 * A request as it was signed. What a function signs for a host of AWS comes here with that host in `x-signed-host`, since no
 * `fetch` sends another `Host` than the one that it asks (`local/lambda/bootstrap.mjs`). The signature covers the host, so
 * nobody without the access key can name one.
 */
export const signedRequest = ({ method = "GET", url = "/", headers }: IncomingMessage): Signed => {
  const [path = "/", query = ""] = url.split(/\?(.*)/s);
  const { "x-signed-host": named, ...rest } = headers;
  return { method, path, query, headers: typeof named === "string" && AWS_HOST.test(named) ? { ...rest, host: named } : rest };
};

/** S3's hosts may name the bucket; from there on it is the first part of the path. */
export const bucketInPath = (url: string, host: string): string => {
  const [, bucket] = AWS_HOST.exec(host) ?? [];
  return bucket === undefined ? url : `/${bucket}${url}`;
};

const AWS_HOST = /^(?:([a-z0-9][a-z0-9.-]+)\.s3|s3|sqs|dynamodb)\.[a-z0-9-]+\.amazonaws\.com$/;
