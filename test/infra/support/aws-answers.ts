/**
 * What AWS would answer: names, ARNs and addresses in their real shapes, because SST takes them apart (a queue's ARN
 * becomes its URL, a stream's its table). It checks nothing: AWS's own validation is not here.
 */
export const ACCOUNT = "123456789012";
export const REGION = "eu-west-1";
const CONCURRENCY = 1_000;

type Inputs = Record<string, unknown>;
type Made = { readonly id?: string } & Record<string, unknown>;
export type Created = { id: string | undefined; state: Record<string, unknown> };

const arn = (service: string, resource: string, region = REGION, account = ACCOUNT): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;
const hex = (length: number, text: string): string =>
  [...text]
    .reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7)
    .toString(16)
    .padStart(length, "0")
    .slice(0, length);
const functionArn = (name: string): string => (name.startsWith("arn:") ? name : arn("lambda", `function:${name}`));
const invokeArn = (target: string): string => `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/${target}/invocations`;

type Rule = (made: { inputs: Inputs; name: string; physical: string }) => Made;
const rules: Record<string, Rule> = {
  "aws:sqs/queue:Queue": ({ physical }) => {
    const url = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${physical}`;
    return { id: url, url, arn: arn("sqs", physical) };
  },
  "aws:lambda/function:Function": ({ physical }) => {
    const own = functionArn(physical);
    return { arn: own, version: "1", qualifiedArn: `${own}:1`, invokeArn: invokeArn(own) };
  },
  "aws:lambda/layerVersion:LayerVersion": ({ inputs }) => ({ arn: arn("lambda", `layer:${inputs.layerName}:1`) }),
  "aws:lambda/alias:Alias": ({ inputs }) => {
    const own = `${functionArn(String(inputs.functionName))}:${inputs.name}`;
    return { arn: own, invokeArn: invokeArn(own) };
  },
  "aws:lambda/functionUrl:FunctionUrl": ({ name }) => ({ functionUrl: `https://${hex(8, name)}.lambda-url.${REGION}.on.aws/` }),
  "aws:iam/role:Role": ({ physical }) => ({ arn: arn("iam", `role/${physical}`, "") }),
  "aws:dynamodb/table:Table": ({ physical, inputs }) => ({
    arn: arn("dynamodb", `table/${physical}`),
    streamArn: inputs.streamEnabled ? arn("dynamodb", `table/${physical}/stream/2026-01-01T00:00:00.000`) : "",
  }),
  "aws:s3/bucket:Bucket": ({ physical }) => ({
    bucket: physical,
    arn: `arn:aws:s3:::${physical}`,
    bucketRegionalDomainName: `${physical}.s3.${REGION}.amazonaws.com`,
  }),
  "aws:kms/key:Key": ({ name }) => ({ keyId: `key-${hex(8, name)}`, arn: arn("kms", `key/key-${hex(8, name)}`) }),
  "aws:secretsmanager/secret:Secret": ({ physical }) => {
    const own = arn("secretsmanager", `secret:${physical}-AbCdEf`);
    return { id: own, arn: own };
  },
  "aws:cloudwatch/eventBus:EventBus": ({ physical }) => ({ arn: arn("events", `event-bus/${physical}`) }),
  "aws:cloudwatch/eventRule:EventRule": ({ physical, inputs }) => ({
    arn: arn("events", `rule/${inputs.eventBusName ? `${inputs.eventBusName}/` : ""}${physical}`),
  }),
  "aws:cloudwatch/logGroup:LogGroup": ({ physical }) => ({ arn: arn("logs", `log-group:${physical}`) }),
  "aws:sns/topic:Topic": ({ physical }) => ({ arn: arn("sns", physical), id: arn("sns", physical) }),
  "aws:apigatewayv2/api:Api": ({ name }) => {
    const id = hex(10, name);
    return { id, apiEndpoint: `https://${id}.execute-api.${REGION}.amazonaws.com`, executionArn: arn("execute-api", id) };
  },
  "aws:cloudfront/distribution:Distribution": ({ name }) => {
    const id = `E${hex(8, name).toUpperCase()}`;
    const domainName = `d${hex(8, name)}.cloudfront.net`;
    return { id, domainName, arn: arn("cloudfront", `distribution/${id}`, ""), hostedZoneId: "Z2FDTNDATAQYW2" };
  },
  "aws:acm/certificate:Certificate": ({ inputs, name }) => ({
    arn: arn("acm", `certificate/${hex(8, name)}`, "us-east-1"),
    domainValidationOptions: [inputs.domainName, ...((inputs.subjectAlternativeNames as string[] | undefined) ?? [])].map((domainName) => ({
      domainName,
      resourceRecordName: `_check.${domainName}`,
      resourceRecordType: "CNAME",
      resourceRecordValue: "_check.acm-validations.aws",
    })),
  }),
  // SST's own lookup of the zone that a domain belongs to
  "pulumi-nodejs:dynamic:Resource": () => ({ zoneId: "Z0EXAMPLE" }),
  "aws:cloudfront/keyValueStore:KeyValueStore": ({ physical }) => ({
    arn: arn("cloudfront", `key-value-store/${hex(8, physical)}-0000-4000-8000-000000000000`, ""),
  }),
  "aws:cloudfront/function:Function": ({ physical }) => ({ arn: arn("cloudfront", `function/${physical}`, "") }),
};

/** A resource as it would be after its creation. */
export const create = (made: { type: string; name: string; inputs: Inputs; custom?: boolean; id?: string }): Created => {
  const { type, name, inputs, custom, id: existing } = made;
  if (!custom) return { id: undefined, state: inputs };
  // Pulumi adds random letters where no name is given
  const physical = String(inputs.name || inputs.bucket || existing || `${name}-${hex(7, name)}`);
  const { id, ...more } = rules[type]?.({ inputs, name, physical }) ?? {};
  const service = type.split(":")[1]?.split("/")[0] ?? "unknown";
  return { id: existing || id || physical, state: { name: physical, arn: arn(service, physical), ...inputs, ...more } };
};

/** What is only looked up. Anything new must be added here: an invented answer would be worse than none. */
export const lookUp = ({ token, inputs }: { token: string; inputs: Inputs }): Inputs => {
  switch (token) {
    case "aws:index/getRegion:getRegion":
      return { id: REGION, name: REGION, region: REGION };
    case "aws:servicequotas/getServiceQuota:getServiceQuota":
      return { ...inputs, value: CONCURRENCY };
    case "aws:index/getPartition:getPartition":
      return { id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: ACCOUNT, arn: arn("iam", "root", "") };
    case "aws:route53/getZone:getZone":
      return { zoneId: "Z0EXAMPLE", name: inputs.name };
    case "aws:iam/getPolicyDocument:getPolicyDocument":
      return { ...inputs, json: policyDocument(inputs) };
    default: {
      const message = `nothing answers ${token} ${JSON.stringify(inputs)}: add it to test/infra/support/aws-answers.ts`;
      throw Object.assign(new Error(message), { details: message }); // Pulumi reports `details`
    }
  }
};

type Said = {
  sid?: string;
  effect?: string;
  actions?: string[];
  resources?: string[];
  principals?: { type: string; identifiers: string[] }[];
  conditions?: { test: string; variable: string; values: string[] }[];
};

/** The JSON that IAM's policy documents become. */
const policyDocument = ({ statements = [] }: { statements?: Said[] }): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(({ sid, effect = "Allow", actions, resources, principals, conditions = [] }) => ({
      ...(sid && { Sid: sid }),
      Effect: effect,
      Action: actions,
      Resource: resources,
      ...(principals && {
        Principal: principals.some(({ type }) => type === "*")
          ? "*"
          : Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers])),
      }),
      ...(conditions.length > 0 && {
        Condition: Object.fromEntries(conditions.map(({ test, variable, values }) => [test, { [variable]: values }])),
      }),
    })),
  });
