import { CloudFrontClient } from "@aws-sdk/client-cloudfront";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { KMSClient } from "@aws-sdk/client-kms";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { keyValueStore } from "./key-value-store.ts";
import { withStoreTime } from "./store-time.ts";

/** What every client is made with; nothing on AWS, where region and credentials come from the function's own environment. */
export type ClientOptions = { region?: string; endpoint?: string; credentials?: { accessKeyId: string; secretAccessKey: string } };

/** The SDK copies every request and answer for a log line that nobody reads, unless there is no `info` to take it. */
const silent = { debug: () => {}, warn: () => {}, error: () => {} } as unknown as Console;

// the first attempt plus nine: a throttled control plane is ordinary, and giving up costs a whole redelivery
const common = (options: ClientOptions) => ({ ...options, maxAttempts: 10, logger: silent });
/** For who would rather hear within seconds that there is no room. */
const BRIEF = { maxAttempts: 3 };

/** One by one: a function that needs two of them is bundled with two. */
export const dynamodbClient = (options: ClientOptions = {}) => withStoreTime(new DynamoDBClient(common(options)));
export const sqsClient = (options: ClientOptions = {}) => new SQSClient({ ...common(options), useQueueUrlAsEndpoint: false });
export const eventBridgeClient = (options: ClientOptions = {}) => new EventBridgeClient(common(options));
export const lambdaClient = (options: ClientOptions = {}) => new LambdaClient(common(options));
export const briefLambdaClient = (options: ClientOptions = {}) => new LambdaClient({ ...common(options), ...BRIEF });
export const s3Client = (options: ClientOptions = {}) => new S3Client({ ...common(options), forcePathStyle: true });
export const codeBuildClient = (options: ClientOptions = {}) => new CodeBuildClient(common(options));
export const cloudFrontClient = (options: ClientOptions = {}) => new CloudFrontClient(common(options));
export const keyValueStoreClient = (options: ClientOptions = {}) => keyValueStore(common(options));
export const logsClient = (options: ClientOptions = {}) => new CloudWatchLogsClient(common(options));
export const secretsClient = (options: ClientOptions = {}) => new SecretsManagerClient(common(options));
export const kmsClient = (options: ClientOptions = {}) => new KMSClient(common(options));

export type Clients = ReturnType<typeof awsClients>;

export const awsClients = (options: ClientOptions = {}) => {
  const clients = {
    dynamodb: dynamodbClient(options),
    sqs: sqsClient(options),
    eventBridge: eventBridgeClient(options),
    lambda: lambdaClient(options),
    briefLambda: briefLambdaClient(options),
    s3: s3Client(options),
    codeBuild: codeBuildClient(options),
    cloudFront: cloudFrontClient(options),
    keyValueStore: keyValueStoreClient(options),
    logs: logsClient(options),
    secrets: secretsClient(options),
    kms: kmsClient(options),
  };
  return {
    ...clients,
    destroy: (): void => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
};
