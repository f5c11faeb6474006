import type { Call } from "./recorded-world.ts";

/** A call in the words of IAM: what is done, and to what (a pattern that is compared with a policy's resources). */
export type Asked = { readonly action: string; readonly on: string };

const services: Record<string, string> = {
  DynamoDBClient: "dynamodb",
  DynamoDBDocumentClient: "dynamodb",
  SQSClient: "sqs",
  EventBridgeClient: "events",
  LambdaClient: "lambda",
  S3Client: "s3",
  CodeBuildClient: "codebuild",
  CloudFrontClient: "cloudfront",
  CloudFrontKeyValueStoreClient: "cloudfront-keyvaluestore",
  CloudWatchLogsClient: "logs",
  SecretsManagerClient: "secretsmanager",
  KMSClient: "kms",
};

/** Where the name of a right is not the name of the call. */
const otherNames: Record<string, string> = {
  "lambda:Invoke": "lambda:InvokeFunction",
  "s3:HeadObject": "s3:GetObject",
  "s3:ListObjectsV2": "s3:ListBucket",
  "s3:HeadBucket": "s3:ListBucket",
  "s3:UploadPart": "s3:PutObject",
  "s3:CreateMultipartUpload": "s3:PutObject",
  "s3:CompleteMultipartUpload": "s3:PutObject",
  "sqs:SendMessageBatch": "sqs:SendMessage",
  "dynamodb:Get": "dynamodb:GetItem",
  "dynamodb:Put": "dynamodb:PutItem",
  "dynamodb:Delete": "dynamodb:DeleteItem",
  "dynamodb:Update": "dynamodb:UpdateItem",
  "dynamodb:BatchGet": "dynamodb:BatchGetItem",
  "dynamodb:BatchWrite": "dynamodb:BatchWriteItem",
};

export const askedBy = ({ client, command, input }: Call): Asked[] => {
  const service = services[client];
  if (service === undefined) throw new Error(`nobody knows what ${client} is: add it to test/infra/support/action.ts`);
  const name = `${service}:${command.replace(/Command$/, "")}`;
  const action = otherNames[name] ?? name;
  if (name === "s3:CopyObject")
    return [
      { action: "s3:PutObject", on: `:s3:::${input.Bucket}/${input.Key}` },
      { action: "s3:GetObject", on: `:s3:::${decodeURIComponent(String(input.CopySource)).replace(/\?.*$/, "")}` },
    ];
  if (name.endsWith(":BatchWrite") || name.endsWith(":BatchWriteItem"))
    return Object.keys(input.RequestItems as object).map((table) => ({ action, on: `:table/${table}` }));
  return [{ action, on: resourceOf(service, action, input as Record<string, string>) }];
};

const resourceOf = (service: string, action: string, input: Record<string, string>): string => {
  switch (service) {
    case "dynamodb":
      return `:table/${input.TableName}${input.IndexName === undefined ? "" : `/index/${input.IndexName}`}`;
    case "sqs":
      return `:${input.QueueName ?? input.QueueUrl?.split("/").at(-1)}`;
    case "lambda":
      // what a version or an alias is asked for, its own right allows; configuration is asked of the function
      return input.FunctionName === undefined
        ? "*"
        : `:function:${input.FunctionName}${input.Qualifier === undefined || input.Qualifier === "$LATEST" ? "" : `:${input.Qualifier}`}`;
    case "s3":
      return `:s3:::${input.Bucket}${action === "s3:ListBucket" ? "" : `/${input.Key}`}`;
    case "secretsmanager":
      return `:secret:${input.SecretId ?? input.Name}-AbCdEf`;
    case "logs":
      return `:log-group:${input.logGroupName}:log-stream:${input.logStreamName}`;
    case "codebuild":
      return `:project/${input.projectName ?? projectOf(input)}`;
    case "events":
      return ":event-bus/shiplog";
    case "cloudfront-keyvaluestore":
      return `:${input.KvsARN?.split(":").at(-1)}`;
    case "kms":
      return ":key/key-";
    default:
      return ":distribution/E";
  }
};

/** "arn:…:build/project:id" → "project" */
const projectOf = ({ id, ids }: { id?: string; ids?: string | readonly string[] }): string => {
  const [first = ""] = id === undefined ? (ids ?? []) : [id];
  return first.replace(/^.*build\//, "").replace(/:.*$/, "");
};
