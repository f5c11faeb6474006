import { componentName } from "../blueprint/engine-functions.ts";
import { bucketName, type Right } from "../blueprint/rights.ts";
import {
  EMPTY_ALIAS,
  type FunctionRole,
  functionOf,
  invokeModeOf,
  kindOf,
  placeholderCode,
  RUNTIME,
  revalidation,
  rolesWithUrl,
  siteResources,
  sizeOf,
} from "../blueprint/site-resources.ts";
import { assumedBy, policyOf } from "./account.ts";
import type { DeclaredSite } from "./declared-sites.ts";
import type { queueWithDeadLetters } from "./queue.ts";

/** What a release decides. After the first one these are the engine's, and a deployment of the infrastructure must not undo them. */
const DECIDED_BY_RELEASES = [
  "code",
  "sourceCodeHash",
  "s3Bucket",
  "s3Key",
  "s3ObjectVersion",
  "handler",
  "memorySize",
  "timeout",
  "environment",
  "architectures",
];
const MOVED_BY_FLIPS = ["functionVersion", "description", "routingConfig"];

const arn = (service: string, resource: string): string => `arn:{partition}:${service}:{region}:{account}:${resource}`;
const s3 = (path = ""): string => `arn:{partition}:s3:::${bucketName("static")}${path}`;

/** What is there below a folder, and nothing of other environments. */
const list = (folder: string): Right => ({ actions: ["s3:ListBucket"], on: [s3()], when: { StringLike: { "s3:prefix": `${folder}/*` } } });

/** What the code of a site's release may do: its own cache, tags and queue, and nothing of another environment. */
const rightsOf = (site: DeclaredSite, role: FunctionRole, name: string, names: ReturnType<typeof siteResources>): Right[] => {
  const tags = arn("dynamodb", `table/${names.tagTable}`);
  const queue = arn("sqs", names.revalidationQueue);
  return [
    { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], on: [arn("logs", `log-group:/aws/lambda/${name}:*`)] },
    ...{
      server: [
        { actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], on: [s3(`/${names.cache}/*`)] },
        list(names.cache),
        { actions: ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchWriteItem"], on: [tags, `${tags}/index/revalidate`] },
        { actions: ["sqs:SendMessage"], on: [queue] },
        ...site.permissions.map(({ actions, resources }) => ({ actions, on: resources })),
      ],
      image: [{ actions: ["s3:GetObject"], on: [s3(`/${names.assets}/*`)] }, list(names.assets)],
      revalidation: [{ actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], on: [queue] }],
    }[kindOf(role)],
  ];
};

/**
 * The functions of one environment, each with its alias `live`; their code is a placeholder that releases replace. Answers
 * the addresses of those that visitors reach, by role.
 */
export const siteFunctions = (site: DeclaredSite, environment: string, queue: ReturnType<typeof queueWithDeadLetters>["queue"]) => {
  const names = siteResources(site.name, environment);
  const place = componentName(`${site.name}-${environment}`);
  const make = (role: FunctionRole) => {
    const title = `${place}${componentName(role)}`;
    const name = functionOf(site.name, environment, role);
    const { memoryMb, timeoutSeconds } = sizeOf(site, kindOf(role));
    const log = new aws.cloudwatch.LogGroup(`${title}Log`, { name: `/aws/lambda/${name}`, retentionInDays: 30 });
    const fn = new aws.lambda.Function(
      `${title}Function`,
      {
        name,
        role: new aws.iam.Role(`${title}Role`, {
          assumeRolePolicy: assumedBy("lambda.amazonaws.com"),
          inlinePolicies: [{ name: "rights", policy: policyOf(rightsOf(site, role, name, names)) }],
        }).arn,
        runtime: RUNTIME,
        architectures: [site.architecture],
        handler: "index.handler",
        memorySize: memoryMb,
        timeout: timeoutSeconds,
        code: new $util.asset.AssetArchive({ "index.mjs": new $util.asset.StringAsset(placeholderCode(invokeModeOf(site, role))) }),
        publish: true,
        loggingConfig: { logFormat: "Text", logGroup: log.name },
      },
      { ignoreChanges: DECIDED_BY_RELEASES },
    );
    const live = new aws.lambda.Alias(
      `${title}Live`,
      { name: names.alias, functionName: fn.name, functionVersion: fn.version, description: EMPTY_ALIAS },
      { ignoreChanges: MOVED_BY_FLIPS },
    );
    return { title, fn, live, invokeMode: invokeModeOf(site, role) };
  };
  const urls = rolesWithUrl(site).map((role) => [role, functionUrl(make(role))] as const);
  new aws.lambda.EventSourceMapping(`${place}RevalidationMapping`, {
    eventSourceArn: queue.arn,
    // the alias: pages are made again by the release that is live
    functionName: make("revalidation").live.arn,
    batchSize: revalidation.batchSize,
    functionResponseTypes: ["ReportBatchItemFailures"],
  });
  return urls;
};

type Reached = {
  readonly title: string;
  readonly fn: aws.lambda.Function;
  readonly live: aws.lambda.Alias;
  readonly invokeMode: ReturnType<typeof invokeModeOf>;
};

/** A public address of the alias. Forms post without a signed body, so it cannot ask for IAM; it takes both permissions. */
const functionUrl = ({ title, fn, live, invokeMode }: Reached): aws.lambda.FunctionUrl => {
  const on = { function: fn.name, qualifier: live.name, principal: "*" };
  new aws.lambda.Permission(`${title}UrlPermission`, { ...on, action: "lambda:InvokeFunctionUrl", functionUrlAuthType: "NONE" });
  // only as a call of the address: nobody may invoke the function by its name
  new aws.lambda.Permission(`${title}InvokePermission`, { ...on, action: "lambda:InvokeFunction", invokedViaFunctionUrl: true });
  return new aws.lambda.FunctionUrl(`${title}Url`, { functionName: fn.name, qualifier: live.name, authorizationType: "NONE", invokeMode });
};
