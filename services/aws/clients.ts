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

/** What every client is made with; nothing on AWS, where region and credentials come from the function's own environment. */
export type ClientOptions = { region?: string; endpoint?: string; credentials?: { accessKeyId: string; secretAccessKey: string } };

export type Clients = ReturnType<typeof awsClients>;

export const awsClients = (options: ClientOptions = {}) => {
  // the first attempt plus nine: a throttled control plane is ordinary, and giving up costs a whole redelivery
  const common = { ...options, maxAttempts: 10 };
  const clients = {
    dynamodb: new DynamoDBClient(common),
    sqs: new SQSClient({ ...common, useQueueUrlAsEndpoint: false }),
    eventBridge: new EventBridgeClient(common),
    lambda: new LambdaClient(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    codeBuild: new CodeBuildClient(common),
    cloudFront: new CloudFrontClient(common),
    logs: new CloudWatchLogsClient(common),
    secrets: new SecretsManagerClient(common),
    kms: new KMSClient(common),
  };
  return {
    ...clients,
    destroy: (): void => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
};
