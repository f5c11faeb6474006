import type { Graph, Resource } from "./graph.ts";

/**
 * The graph as a CloudFormation template: AWS's own schemas of its resources, which cfn-lint has, then check each name, value,
 * range and policy. What this does not know is handed on as it is, so that the linter says what it is.
 */
export type Template = { readonly Resources: Readonly<Record<string, Made>> };
type Made = { readonly Type: string; readonly Properties: Properties };
type Properties = Readonly<Record<string, unknown>>;
type Inputs = Resource["inputs"];

/** Keys that are the user's own words, with what is in them. */
const OWN_WORDS = ["variables"];
type Renamed = Readonly<Record<string, string>>;

/** The words of CloudFormation for those of Pulumi: their first letter is large, and some are others. */
const words = (value: unknown, renamed: Renamed = {}): unknown => {
  if (Array.isArray(value)) return value.map((one) => words(one, renamed));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      renamed[key] ?? key.charAt(0).toUpperCase() + key.slice(1),
      OWN_WORDS.includes(key) ? inner : words(inner, renamed),
    ]),
  );
};
const propertiesOf = (inputs: Inputs, renamed: Renamed = {}): Properties => {
  const { tags, tagsAll, ...rest } = inputs;
  const made = words(rest, renamed) as Properties;
  return tags === undefined ? made : { ...made, Tags: Object.entries(tags as object).map(([Key, Value]) => ({ Key, Value })) };
};

/** Where only some words are others, and some inputs are not of the resource itself. */
const alike: Readonly<Record<string, { readonly as: string; readonly renamed?: Renamed; readonly without?: readonly string[] }>> = {
  "acm/certificate": { as: "CertificateManager::Certificate", without: ["subjectAlternativeNames"] },
  "apigatewayv2/api": { as: "ApiGatewayV2::Api", without: ["corsConfiguration"] },
  "apigatewayv2/integration": { as: "ApiGatewayV2::Integration" },
  "apigatewayv2/route": { as: "ApiGatewayV2::Route" },
  "apigatewayv2/stage": { as: "ApiGatewayV2::Stage", renamed: { name: "StageName" } },
  "cloudwatch/eventBus": { as: "Events::EventBus" },
  "cloudwatch/logGroup": { as: "Logs::LogGroup", renamed: { name: "LogGroupName" } },
  "kms/alias": { as: "KMS::Alias", renamed: { name: "AliasName" } },
  "kms/key": { as: "KMS::Key", renamed: { customerMasterKeySpec: "KeySpec", deletionWindowInDays: "PendingWindowInDays" } },
  "lambda/alias": { as: "Lambda::Alias" },
  "lambda/eventSourceMapping": { as: "Lambda::EventSourceMapping", renamed: { destinationArn: "Destination" } },
  "lambda/functionUrl": { as: "Lambda::Url", renamed: { functionName: "TargetFunctionArn", authorizationType: "AuthType" } },
  "secretsmanager/secret": { as: "SecretsManager::Secret", without: ["recoveryWindowInDays"] },
  "sns/topic": { as: "SNS::Topic", renamed: { name: "TopicName" } },
};

type Translation = (resource: Resource, graph: Graph) => readonly [as: string, properties: Properties];
const inputsOf = (graph: Graph, type: string): Inputs[] =>
  graph.resources.filter((one) => one.kind === "registerResource" && shortType(one) === type).map(({ inputs }) => inputs);
const parsed = (text: unknown): unknown => (text === undefined ? undefined : JSON.parse(String(text)));

const different: Readonly<Record<string, Translation>> = {
  "sqs/queue": ({ inputs }, graph) => {
    const { fifoQueue, contentBasedDeduplication, redrivePolicy, messageRetentionSeconds, visibilityTimeoutSeconds, name, ...more } =
      inputs;
    const redrive = parsed(redrivePolicy) as { deadLetterTargetArn: string } | undefined;
    const dead = graph.resources.find(
      (one) => shortType(one) === "sqs/queue" && redrive?.deadLetterTargetArn.endsWith(`:${one.inputs.name}`),
    );
    return [
      "SQS::Queue",
      {
        ...propertiesOf(more),
        QueueName: name,
        MessageRetentionPeriod: messageRetentionSeconds,
        VisibilityTimeout: visibilityTimeoutSeconds,
        ...(fifoQueue === true && { FifoQueue: true, ContentBasedDeduplication: contentBasedDeduplication }),
        // by reference, so that the kinds of both queues are compared
        RedrivePolicy: redrive && { ...redrive, ...(dead && { deadLetterTargetArn: { "Fn::GetAtt": [logicalName(dead), "Arn"] } }) },
      },
    ];
  },
  "sqs/queuePolicy": ({ inputs }) => ["SQS::QueuePolicy", { Queues: [inputs.queueUrl], PolicyDocument: parsed(inputs.policy) }],
  "s3/bucketPolicy": ({ inputs }) => ["S3::BucketPolicy", { Bucket: inputs.bucket, PolicyDocument: parsed(inputs.policy) }],
  "s3/bucket": ({ inputs }, graph) => ["S3::Bucket", bucket(inputs, graph)],
  "iam/role": ({ inputs }) => {
    const { assumeRolePolicy, inlinePolicies = [], managedPolicyArns, name, ...more } = inputs;
    const policies = (inlinePolicies as { name: string; policy: string }[]).map(({ name: PolicyName, policy }) => ({
      PolicyName,
      PolicyDocument: parsed(policy),
    }));
    const managed = (managedPolicyArns ?? []).length > 0 ? managedPolicyArns : undefined;
    return [
      "IAM::Role",
      {
        ...propertiesOf(more),
        RoleName: name,
        AssumeRolePolicyDocument: parsed(assumeRolePolicy),
        Policies: policies,
        ManagedPolicyArns: managed,
      },
    ];
  },
  "dynamodb/table": ({ inputs }) => ["DynamoDB::Table", table(inputs)],
  "lambda/function": ({ inputs }) => {
    const { code, s3Bucket, s3Key, publish, name, description, ...more } = inputs;
    const text = (code as { assets?: Record<string, { text: string }> } | undefined)?.assets?.["index.mjs"]?.text;
    const Code = text === undefined ? { S3Bucket: s3Bucket, S3Key: s3Key } : { ZipFile: text };
    return ["Lambda::Function", { ...propertiesOf(more), FunctionName: name, Description: description || undefined, Code }];
  },
  "lambda/layerVersion": ({ inputs }) => {
    const { code, ...more } = inputs;
    return ["Lambda::LayerVersion", { ...propertiesOf(more), Content: { S3Bucket: "files", S3Key: "made-when-it-is-deployed.zip" } }];
  },
  "lambda/permission": ({ inputs }) => {
    const { function: name, qualifier, ...more } = inputs;
    return ["Lambda::Permission", { ...propertiesOf(more), FunctionName: qualifier === undefined ? name : `${name}:${qualifier}` }];
  },
  "lambda/functionEventInvokeConfig": ({ inputs }) => ["Lambda::EventInvokeConfig", { Qualifier: "$LATEST", ...propertiesOf(inputs) }],
  "cloudwatch/eventRule": ({ inputs }, graph) => {
    const targets = inputsOf(graph, "cloudwatch/eventTarget").filter(({ rule }) => rule === inputs.name);
    const Targets = targets.map(({ rule, eventBusName, ...target }) => words(target, { targetId: "Id" }));
    return ["Events::Rule", { ...propertiesOf(inputs), EventPattern: parsed(inputs.eventPattern), Targets }];
  },
  "cloudwatch/logMetricFilter": ({ inputs }) => {
    const { metricTransformation, pattern, name, ...more } = inputs;
    const renamed = { name: "MetricName", namespace: "MetricNamespace", value: "MetricValue" };
    return [
      "Logs::MetricFilter",
      { ...propertiesOf(more), FilterPattern: pattern, MetricTransformations: [words(metricTransformation, renamed)] },
    ];
  },
  "cloudwatch/metricAlarm": ({ inputs }) => {
    const { dimensions = {}, ...more } = inputs;
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    return ["CloudWatch::Alarm", { ...propertiesOf(more, { okActions: "OKActions", name: "AlarmName" }), Dimensions }];
  },
  "codebuild/project": ({ inputs }) => {
    const { logsConfig, ...more } = inputs;
    const LogsConfig = { CloudWatchLogs: { Status: "ENABLED", GroupName: logsConfig.cloudwatchLogs.groupName } };
    const renamed = { buildTimeout: "TimeoutInMinutes", queuedTimeout: "QueuedTimeoutInMinutes", buildspec: "BuildSpec" };
    return ["CodeBuild::Project", { ...propertiesOf(more, renamed), LogsConfig }];
  },
  "cloudfront/cachePolicy": ({ inputs, name }) => {
    const renamed = { minTtl: "MinTTL", defaultTtl: "DefaultTTL", maxTtl: "MaxTTL" };
    return ["CloudFront::CachePolicy", { CachePolicyConfig: { Name: name, ...(itemsOut(propertiesOf(inputs, renamed)) as Properties) } }];
  },
  "cloudfront/originRequestPolicy": ({ inputs, name }) => [
    "CloudFront::OriginRequestPolicy",
    { OriginRequestPolicyConfig: { Name: name, ...(itemsOut(propertiesOf(inputs)) as Properties) } },
  ],
  "cloudfront/function": ({ inputs, name }) => {
    const { code, runtime, comment = name, keyValueStoreAssociations: tables = [] } = inputs;
    const KeyValueStoreAssociations = (tables as string[]).map((KeyValueStoreARN) => ({ KeyValueStoreARN }));
    const FunctionConfig = { Comment: comment, Runtime: runtime, KeyValueStoreAssociations };
    return ["CloudFront::Function", { Name: inputs.name ?? name, AutoPublish: true, FunctionCode: code, FunctionConfig }];
  },
  "cloudfront/keyValueStore": ({ inputs, name }) => ["CloudFront::KeyValueStore", { Name: name, ...propertiesOf(inputs) }],
  "cloudfront/originAccessControl": ({ inputs, name }) => [
    "CloudFront::OriginAccessControl",
    { OriginAccessControlConfig: { Name: name, ...propertiesOf(inputs) } },
  ],
  // CloudFormation makes no encrypted ones: the rest is looked at
  "ssm/parameter": ({ inputs: { type, ...more } }) => [
    "SSM::Parameter",
    { ...propertiesOf(more), Type: type === "SecureString" ? "String" : type },
  ],
  "route53/record": ({ inputs }) => {
    const { aliases = [], zoneId, allowOverwrite, records, ttl, ...more } = inputs;
    const [AliasTarget] = words(aliases, { name: "DNSName", zoneId: "HostedZoneId" }) as Properties[];
    return [
      "Route53::RecordSet",
      { ...propertiesOf(more), HostedZoneId: zoneId, AliasTarget, ResourceRecords: records, TTL: ttl && String(ttl) },
    ];
  },
  "cloudfront/distribution": ({ inputs }) => ["CloudFront::Distribution", { DistributionConfig: distribution(inputs) }],
};

/** Parts of a bucket are resources of their own in Pulumi. */
const bucket = ({ bucket: BucketName, forceDestroy, ...more }: Inputs, graph: Graph): Properties => {
  const part = (type: string): Inputs | undefined => inputsOf(graph, `s3/${type}`).find((inputs) => inputs.bucket === BucketName);
  const { bucket: _, ...block } = part("bucketPublicAccessBlock") ?? {};
  const rules = part("bucketLifecycleConfiguration")?.rules as Inputs[] | undefined;
  const lock = part("bucketObjectLockConfiguration")?.rule;
  const Rules = rules?.map(({ expiration, filter, ...rule }) => ({
    ...propertiesOf(rule),
    ...(filter?.prefix !== undefined && { Prefix: filter.prefix }),
    ...(expiration?.days !== undefined && { ExpirationInDays: expiration.days }),
  }));
  return {
    ...propertiesOf(more),
    BucketName,
    PublicAccessBlockConfiguration: words(block),
    VersioningConfiguration: words(part("bucketVersioning")?.versioningConfiguration),
    LifecycleConfiguration: Rules && { Rules },
    ObjectLockConfiguration: lock && { ObjectLockEnabled: "Enabled", Rule: words(lock) },
  };
};

const keySchema = ({ hashKey, rangeKey }: Inputs) => [
  { AttributeName: hashKey, KeyType: "HASH" },
  ...(rangeKey === undefined ? [] : [{ AttributeName: rangeKey, KeyType: "RANGE" }]),
];
const table = (inputs: Inputs): Properties => {
  const { name, attributes, hashKey, rangeKey, globalSecondaryIndexes = [], localSecondaryIndexes, ...rest } = inputs;
  const { streamEnabled, streamViewType, pointInTimeRecovery, serverSideEncryption, ttl, ...more } = rest;
  const indexes = (globalSecondaryIndexes as Inputs[]).map((index) => ({
    IndexName: index.name,
    KeySchema: keySchema(index),
    Projection: { ProjectionType: index.projectionType },
  }));
  return {
    ...propertiesOf(more),
    TableName: name,
    AttributeDefinitions: words(attributes, { name: "AttributeName", type: "AttributeType" }),
    KeySchema: keySchema(inputs),
    GlobalSecondaryIndexes: indexes.length > 0 ? indexes : undefined,
    StreamSpecification: streamEnabled ? { StreamViewType: streamViewType } : undefined,
    PointInTimeRecoverySpecification: pointInTimeRecovery && { PointInTimeRecoveryEnabled: pointInTimeRecovery.enabled },
    SSESpecification: serverSideEncryption && { SSEEnabled: serverSideEncryption.enabled },
    TimeToLiveSpecification: words(ttl),
  };
};

/** `{ Items: [...] }` is the list itself. */
const itemsOut = (value: unknown): unknown => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const { Items } = value as { Items?: unknown };
  return Items ?? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, itemsOut(inner)]));
};

const counted = <T>(Items: readonly T[]) => ({ Quantity: Items.length, Items });
const originGroup = ({ originId: Id, failoverCriteria, members }: Inputs): Properties => ({
  Id,
  FailoverCriteria: { StatusCodes: counted(failoverCriteria.statusCodes) },
  Members: counted(words(members) as unknown[]),
});

const distribution = (inputs: Inputs): Properties => {
  const { orderedCacheBehaviors, waitForDeployment, origins, originGroups, ...more } = inputs;
  const renamed = {
    acmCertificateArn: "AcmCertificateArn",
    cloudfrontDefaultCertificate: "CloudFrontDefaultCertificate",
    functionArn: "FunctionARN",
    httpPort: "HTTPPort",
    httpsPort: "HTTPSPort",
    originId: "Id",
    originSslProtocols: "OriginSSLProtocols",
    customHeaders: "OriginCustomHeaders",
    name: "HeaderName",
    value: "HeaderValue",
  };
  const Origins = (origins as Inputs[]).map((origin) => {
    const made = words(origin, renamed) as Properties;
    return origin.customOriginConfig === undefined ? { ...made, S3OriginConfig: { OriginAccessIdentity: "" } } : made;
  });
  const OriginGroups = originGroups && counted((originGroups as Inputs[]).map(originGroup));
  return { ...propertiesOf(more, renamed), CacheBehaviors: words(orderedCacheBehaviors, renamed), Origins, OriginGroups };
};

/** They are parts of what is translated, or have no value that AWS would look at. */
const ELSEWHERE = [
  "acm/certificateValidation",
  "cloudwatch/eventTarget",
  "s3/bucketLifecycleConfiguration",
  "s3/bucketObjectLockConfiguration",
  "s3/bucketPublicAccessBlock",
  "s3/bucketVersioning",
  "secretsmanager/secretVersion",
  "s3/bucketObjectv2",
];

/** "aws:lambda/function:Function" → "lambda/function" */
const shortType = ({ type }: Resource): string => type.split(":")[1] ?? type;
export const logicalName = ({ name }: Resource): string => name.replace(/\W/g, "");

/** `untranslated` are the kinds of AWS's resources that this has no words for. */
export const templateOf = (graph: Graph): { template: Template; untranslated: readonly string[] } => {
  const Resources: Record<string, Made> = {};
  const untranslated = new Set<string>();
  for (const resource of graph.resources) {
    const type = shortType(resource);
    if (resource.kind !== "registerResource" || !resource.type.startsWith("aws:") || ELSEWHERE.includes(type)) continue;
    const same = alike[type];
    const made =
      different[type]?.(resource, graph) ?? (same && [same.as, propertiesOf(without(resource.inputs, same.without), same.renamed)]);
    const name = logicalName(resource);
    if (Resources[name] !== undefined) throw new Error(`two resources are ${name}: one would hide the other`);
    if (made === undefined) untranslated.add(type);
    else Resources[name] = { Type: `AWS::${made[0]}`, Properties: made[1] };
  }
  return { template: { Resources }, untranslated: [...untranslated].sort() };
};
const without = (inputs: Inputs, names: readonly string[] = []): Inputs =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => !names.includes(name)));
