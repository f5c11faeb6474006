import { AwsError } from "../http.ts";
import { KEY_VALUE_PATH } from "./key-value-api.ts";
import { cloudFrontOperation, keyValueStoreOperation, lambdaOperation, s3Operation } from "./operation-name.ts";
import type { Protocol } from "./wire.ts";

export type ServiceName =
  | "cloudfront"
  | "cloudfront-keyvaluestore"
  | "codebuild"
  | "dynamodb"
  | "events"
  | "function-url"
  | "kms"
  | "lambda"
  | "logs"
  | "s3"
  | "secretsmanager"
  | "servicequotas"
  | "sqs";

/** Where a request goes; `operation` names it in the counters. */
export type Route = { readonly service: ServiceName; readonly operation: string; readonly protocol: Protocol };

const TARGETS: Readonly<Record<string, ServiceName>> = {
  AWSEvents: "events",
  AmazonSQS: "sqs",
  CodeBuild_20161006: "codebuild",
  DynamoDB_20120810: "dynamodb",
  Logs_20140328: "logs",
  ServiceQuotasV20190624: "servicequotas",
  TrentService: "kms",
  secretsmanager: "secretsmanager",
};

const LAMBDA_PATH = /^\/20\d\d-\d\d-\d\d\/(functions|event-source-mappings|account-settings|tags|layers|code-signing-configs)(\/|$)/;
const CLOUDFRONT_PATH = /^\/2020-05-31\/(distribution|cache-policy|origin-)/;

/** The services whose requests carry no target: known by path, or else S3's. */
const SCOPES_WITHOUT_TARGET = new Set(["s3", "lambda", "cloudfront", "cloudfront-keyvaluestore"]);

/**
 * Which service a request is for. The `x-amz-target` header says it for the JSON protocols; a path for the others; what
 * is left is S3. The credential scope decides where a bucket's name looks like another service's path.
 *
 * @throws AwsError for a service that there is none of here
 */
export function routeOf(request: {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}): Route {
  const { method, path, query, headers } = request;
  if (path.startsWith("/.lambda-url/")) return { service: "function-url", operation: "Invoke", protocol: "json" };

  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    const [prefix = "", operation = ""] = target.split(".");
    const service = TARGETS[prefix];
    if (!service) throw new AwsError("UnknownOperationException", 400, `The local endpoint has no service for x-amz-target ${target}.`);
    return { service, operation, protocol: "json" };
  }

  const scope = credentialScope(headers.authorization, query);
  if (scope !== "s3") {
    if (LAMBDA_PATH.test(path)) return { service: "lambda", operation: lambdaOperation(method, path), protocol: "json" };
    if (CLOUDFRONT_PATH.test(path)) return { service: "cloudfront", operation: cloudFrontOperation(method, path), protocol: "xml" };
    if (KEY_VALUE_PATH.test(path))
      return { service: "cloudfront-keyvaluestore", operation: keyValueStoreOperation(method, path), protocol: "json" };
    if (scope === "sqs")
      throw new AwsError("UnknownOperationException", 400, "SQS is spoken in JSON, as the AWS SDK for JavaScript v3 does, and in no form.");
    if (scope && !SCOPES_WITHOUT_TARGET.has(scope))
      throw new AwsError("UnknownOperationException", 400, `The local endpoint has no service "${scope}" for ${method} ${path}.`);
  }
  return { service: "s3", operation: s3Operation(method, path, query, headers), protocol: "xml" };
}

/** `s3` of `Credential=AKID/20260101/eu-west-1/s3/aws4_request`, from the header or a presigned URL. */
function credentialScope(authorization: string | string[] | undefined, query: URLSearchParams): string | undefined {
  const credential = /Credential=([^,\s]+)/.exec(String(authorization ?? ""))?.[1] ?? query.get("X-Amz-Credential") ?? undefined;
  return credential?.split("/").at(-2);
}
