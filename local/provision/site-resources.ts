import { randomBytes } from "node:crypto";
import { BatchGetProjectsCommand, CreateProjectCommand, UpdateProjectCommand } from "@aws-sdk/client-codebuild";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionConfigurationCommand,
  type InvokeMode,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  PublishVersionCommand,
  UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { buildspecOf } from "../../blueprint/buildspec.ts";
import {
  ACTIONS_KEY,
  EMPTY_ALIAS,
  functionOf,
  invokeModeOf,
  RUNTIME,
  revalidation,
  revalidationVisibilitySeconds,
  rolesOf,
  rolesWithUrl,
  siteResources,
  sizeOf,
} from "../../blueprint/site-resources.ts";
import type { Site } from "../../blueprint/sites.ts";
import { tagTable } from "../../blueprint/stores.ts";
import { deadLetterRetentionSeconds, queueRetentionSeconds } from "../../blueprint/topology.ts";
import { type FunctionRole, kindOf } from "../../domain/deployment/shapes.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import { newLedger, readDocument as readSecret, type SiteDocument, writeDocument } from "../../engine/aws/site-document.ts";
import { ACCOUNT } from "../http.ts";
import { BUCKETS, createQueue, type QueueAt } from "./engine-resources.ts";
import { placeholderZip } from "./placeholder.ts";
import { createTable } from "./table.ts";
import { unlessThere } from "./unless-there.ts";

const ROLE = `arn:aws:iam::${ACCOUNT}:role/shiplog-site`;

/**
 * Makes what one environment of a site lives on, through the same calls as anywhere. What is there already is kept.
 * `without`: the site's variables that have no value, neither now nor from an earlier start; `unused`: those for which
 * another value was given than `shiplog env` has set.
 */
export const provisionSite = async (
  clients: Clients,
  site: Site,
  environment: string,
  values: Readonly<Record<string, string>>,
  /** whether the app's own folder has a buildspec.yml */
  ownBuildspec: boolean,
): Promise<{ revalidationQueue: QueueAt; without: readonly string[]; unused: readonly string[] }> => {
  const names = siteResources(site.name, environment);
  const dead = await createQueue(clients.sqs, names.revalidationDeadLetters, {
    FifoQueue: "true",
    MessageRetentionPeriod: String(deadLetterRetentionSeconds),
  });
  const revalidationQueue = await createQueue(clients.sqs, names.revalidationQueue, {
    FifoQueue: "true",
    VisibilityTimeout: String(revalidationVisibilitySeconds(site)),
    MessageRetentionPeriod: String(queueRetentionSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: revalidation.maxReceives }),
  });
  await createTable(clients.dynamodb, tagTable(names.tagTable));
  const kept = await secret(clients, names.secret, site.variables, values);
  await project(clients, site, environment, ownBuildspec);
  const nameOf = (role: FunctionRole): string => functionOf(site.name, environment, role);
  for (const role of rolesOf(site)) await siteFunction(clients.lambda, nameOf(role), names.alias, role, site);
  for (const role of rolesWithUrl(site)) await functionUrl(clients.lambda, nameOf(role), names.alias, invokeModeOf(site, role));
  await mapping(clients.lambda, revalidationQueue.arn, `${names.functions.revalidation}:${names.alias}`);
  const own = kept.ledger?.set ?? {};
  return {
    revalidationQueue,
    without: site.variables.filter((one) => kept.values[one] === "" && !Object.hasOwn(values, one) && !Object.hasOwn(own, one)),
    unused: site.variables.filter((one) => Object.hasOwn(own, one) && Object.hasOwn(values, one) && kept.values[one] !== values[one]),
  };
};

/** The function, a first version of placeholder code, and the alias on it: everything later is the engine's. */
const siteFunction = async (lambda: LambdaClient, name: string, alias: string, role: FunctionRole, site: Site): Promise<void> => {
  await unlessThere(async () =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: ROLE,
        Runtime: RUNTIME,
        Handler: "index.handler",
        MemorySize: sizeOf(site, kindOf(role)).memoryMb,
        Timeout: sizeOf(site, kindOf(role)).timeoutSeconds,
        Architectures: [site.architecture],
        Code: { ZipFile: await placeholderZip(invokeModeOf(site, role)) },
      }),
    ),
  );
  for (;;) {
    const { State, LastUpdateStatus } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    if (State !== "Pending" && LastUpdateStatus !== "InProgress") break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await unlessThere(async () => {
    const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: alias, FunctionVersion: Version, Description: EMPTY_ALIAS }));
  });
};

/** A function's public address needs both permissions, on the alias. */
const functionUrl = async (lambda: LambdaClient, name: string, alias: string, InvokeMode: InvokeMode): Promise<void> => {
  const url = { FunctionName: name, Qualifier: alias, AuthType: "NONE" as const, InvokeMode };
  if (!(await unlessThere(() => lambda.send(new CreateFunctionUrlConfigCommand(url)))))
    await lambda.send(new UpdateFunctionUrlConfigCommand(url));
  const permit = (StatementId: string, Action: string, more: object) =>
    unlessThere(() =>
      lambda.send(new AddPermissionCommand({ FunctionName: name, Qualifier: alias, StatementId, Action, Principal: "*", ...more })),
    );
  await permit("url", "lambda:InvokeFunctionUrl", { FunctionUrlAuthType: "NONE" });
  await permit("invoke", "lambda:InvokeFunction", {});
};

const mapping = async (lambda: LambdaClient, EventSourceArn: string, FunctionName: string): Promise<void> => {
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn }));
  if (EventSourceMappings.length > 0) return;
  await lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn,
      FunctionName,
      BatchSize: revalidation.batchSize,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    }),
  );
};

/**
 * Given values replace those that are there, but what `shiplog env` set stays; what has none is empty, as the infrastructure
 * makes it on AWS. Keys of the engine's own are made once and kept.
 */
const secret = async (
  { secrets }: Clients,
  name: string,
  variables: readonly string[],
  values: Readonly<Record<string, string>>,
): Promise<SiteDocument> => {
  const first = documentWith({ values: {}, ledger: null }, variables, values);
  if (await unlessThere(() => secrets.send(new CreateSecretCommand({ Name: name, SecretString: writeDocument(first) })))) return first;
  const { SecretString = "{}" } = await secrets.send(new GetSecretValueCommand({ SecretId: name }));
  const merged = documentWith(readSecret(SecretString, name), variables, values);
  const text = writeDocument(merged);
  if (text !== SecretString) await secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString: text }));
  return merged;
};

const documentWith = (
  { values: before, ledger }: SiteDocument,
  variables: readonly string[],
  values: Readonly<Record<string, string>>,
): SiteDocument => {
  const own = ledger ?? newLedger();
  const empty = Object.fromEntries(variables.map((variable) => [variable, ""]));
  const kept = Object.fromEntries(Object.entries(before).filter(([variable]) => Object.hasOwn(own.set, variable)));
  return {
    values: { [ACTIONS_KEY]: randomBytes(32).toString("base64"), ...empty, ...before, ...values, ...kept },
    ledger: own,
  };
};

const project = async ({ codeBuild }: Clients, site: Site, environment: string, ownBuildspec: boolean): Promise<void> => {
  const { project: name, buildCache } = siteResources(site.name, environment);
  const wanted = {
    name,
    serviceRole: ROLE,
    source: {
      type: "S3" as const,
      location: `${BUCKETS.sources}/none`,
      ...(!(ownBuildspec && site.build === undefined) && { buildspec: buildspecOf(site) }),
    },
    artifacts: { type: "S3" as const, location: BUCKETS.artifacts, packaging: "ZIP" as const },
    cache: { type: "S3" as const, location: `${BUCKETS.artifacts}/${buildCache}` },
    environment: { type: "LINUX_CONTAINER" as const, image: "aws/codebuild/standard:7.0", computeType: "BUILD_GENERAL1_SMALL" as const },
    timeoutInMinutes: site.buildTimeoutMinutes,
  };
  const { projects = [] } = await codeBuild.send(new BatchGetProjectsCommand({ names: [name] }));
  await codeBuild.send(projects.length === 0 ? new CreateProjectCommand(wanted) : (new UpdateProjectCommand(wanted) as never));
};
