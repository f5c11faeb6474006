import type { Template } from "../../infra/support/cloudformation.ts";
import type { Request } from "./requests.ts";

type Properties = Readonly<Record<string, unknown>>;

/** Every key in other words, at any depth: `renamed` has some, `word` says the rest. Keys of variables are the user's own. */
const reworded = (value: unknown, word: (key: string) => string, renamed: Readonly<Record<string, string>> = {}): unknown => {
  if (Array.isArray(value)) return value.map((one) => reworded(one, word, renamed));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [renamed[key] ?? word(key), key === "Variables" ? inner : reworded(inner, word, renamed)]),
  );
};
const same = (key: string): string => key;
const small = (key: string): string => key.charAt(0).toLowerCase() + key.slice(1);

/** CloudFront says of every list how long it is. */
const counted = (value: unknown): unknown => {
  if (Array.isArray(value)) return { Quantity: value.length, Items: value.map(counted) };
  // CloudFormation says it of some, too
  if (value === null || typeof value !== "object" || "Quantity" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, counted(inner)]));
};
/** The methods that are cached are a part of those that are allowed. */
const withMethods = ({ CachedMethods, AllowedMethods, ...behavior }: Record<string, unknown>): Properties => ({
  ...behavior,
  AllowedMethods: { ...(AllowedMethods as object), CachedMethods },
});
const distribution = ({ DistributionConfig }: Properties): Properties => {
  const renamed = {
    AcmCertificateArn: "ACMCertificateArn",
    OriginCustomHeaders: "CustomHeaders",
    OriginSSLProtocols: "OriginSslProtocols",
    SslSupportMethod: "SSLSupportMethod",
  };
  type Config = { DefaultCacheBehavior: Record<string, unknown>; CacheBehaviors: { Quantity: number; Items: Record<string, unknown>[] } };
  const config = counted(reworded(DistributionConfig, same, renamed)) as Config & Record<string, unknown>;
  const { Quantity, Items } = config.CacheBehaviors;
  return {
    DistributionConfig: {
      ...config,
      CallerReference: "once",
      DefaultCacheBehavior: withMethods(config.DefaultCacheBehavior),
      CacheBehaviors: { Quantity, Items: Items.map(withMethods) },
      Restrictions: { GeoRestriction: { RestrictionType: "none", Quantity: 0 } },
    },
  };
};

type Ask = (properties: Properties) => readonly [service: string, operation: string, input: unknown];
/** What a resource would be made with through its service's own interface: what cfn-lint does not look into, botocore's models do. */
const asks: Readonly<Record<string, Ask>> = {
  "AWS::CloudFront::CachePolicy": (properties) => ["cloudfront", "CreateCachePolicy", counted(properties)],
  "AWS::CloudFront::Distribution": (properties) => ["cloudfront", "CreateDistribution", distribution(properties)],
  "AWS::CloudFront::OriginRequestPolicy": (properties) => ["cloudfront", "CreateOriginRequestPolicy", counted(properties)],
  "AWS::CodeBuild::Project": (properties) => ["codebuild", "CreateProject", reworded(properties, small, { BuildSpec: "buildspec" })],
  "AWS::Events::Rule": ({ EventPattern, Targets: _, ...rule }) => [
    "events",
    "PutRule",
    { ...rule, ...(EventPattern !== undefined && { EventPattern: JSON.stringify(EventPattern) }) },
  ],
  "AWS::KMS::Key": ({ PendingWindowInDays: _, ...key }) => ["kms", "CreateKey", key],
  "AWS::Lambda::Alias": (properties) => ["lambda", "CreateAlias", properties],
  "AWS::Lambda::EventSourceMapping": (properties) => ["lambda", "CreateEventSourceMapping", properties],
  // its reserved concurrency is another request
  "AWS::Lambda::Function": ({ Code: _, ReservedConcurrentExecutions: __, ...fn }) => ["lambda", "CreateFunction", { ...fn, Code: {} }],
  "AWS::Lambda::Permission": (properties) => ["lambda", "AddPermission", { ...properties, StatementId: "one" }],
  "AWS::Lambda::Url": ({ TargetFunctionArn, ...url }) => ["lambda", "CreateFunctionUrlConfig", { ...url, FunctionName: TargetFunctionArn }],
  "AWS::SecretsManager::Secret": (properties) => ["secretsmanager", "CreateSecret", properties],
};

/** The requests that would make the resources of a template, of those services that are asked for here. */
export const requestsOf = ({ Resources }: Template): Request[] =>
  Object.entries(Resources).flatMap(([by, { Type, Properties }]) => {
    const ask = asks[Type]?.(reworded(Properties, same) as Properties);
    return ask === undefined ? [] : [{ by, service: ask[0], operation: ask[1], input: ask[2] as Request["input"] }];
  });
