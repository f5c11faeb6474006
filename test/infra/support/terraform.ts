import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Graph, Resource } from "./graph.ts";
import { findPlugins, thisMachine } from "./terraform-plugins.ts";

/**
 * The graph as Terraform would have it. Pulumi's AWS provider is made from Terraform's, so that a resource is the same in
 * other words; Terraform's own provider then checks each value: ranges, formats, what excludes what.
 */
type Schema = {
  readonly attributes?: Readonly<Record<string, { readonly type?: unknown }>>;
  readonly block_types?: Readonly<Record<string, { readonly nesting_mode: string; readonly block: Schema }>>;
};
type Diagnostic = {
  readonly severity: string;
  readonly summary: string;
  readonly detail: string;
  readonly snippet?: { readonly context?: string };
};

const run = promisify(execFile);
const MAX_OUTPUT = 512 * 1024 * 1024;
/** It looks for nothing newer of itself, and leaves nothing in the person's own folder. */
const env = { ...process.env, CHECKPOINT_DISABLE: "1" };

/** A prepared folder, or why there is none. */
export const prepareTerraform = async (folder: string): Promise<{ schemas: Readonly<Record<string, Schema>> } | { missing: string }> => {
  const terraform = await run("terraform", ["version", "-json"], { env }).catch(() => undefined);
  if (terraform === undefined) return { missing: "terraform is not installed" };
  const plugins = findPlugins(thisMachine());
  if ("missing" in plugins) return plugins;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "provider.tf.json"),
    JSON.stringify({ terraform: { required_providers: { aws: { source: "hashicorp/aws", version: plugins.version } } } }),
  );
  await run("terraform", ["init", "-input=false", `-plugin-dir=${plugins.folder}`], { cwd: folder, env });
  const { stdout } = await run("terraform", ["providers", "schema", "-json"], { cwd: folder, env, maxBuffer: MAX_OUTPUT });
  const { provider_schemas } = JSON.parse(stdout) as {
    provider_schemas: Record<string, { resource_schemas: Record<string, { block: Schema }> }>;
  };
  const resources = provider_schemas["registry.terraform.io/hashicorp/aws"]?.resource_schemas ?? {};
  return { schemas: Object.fromEntries(Object.entries(resources).map(([type, { block }]) => [type, block])) };
};

export type Translated = { readonly resources: Record<string, Record<string, unknown>>; readonly unknown: readonly string[] };

/** Every resource of AWS, by Terraform's type; `unknown` is what that version of the provider has no word for. */
export const translate = ({ resources }: Graph, schemas: Readonly<Record<string, Schema>>): Translated => {
  const made: Record<string, Record<string, unknown>> = {};
  const unknown = new Set<string>();
  for (const resource of resources) {
    const type = terraformType(resource);
    if (resource.kind !== "registerResource" || type === undefined) continue;
    const schema = schemas[type];
    if (schema === undefined) unknown.add(type);
    else {
      made[type] ??= {};
      made[type][resource.name] = block(withName(resource, type), schema, type, unknown);
    }
  }
  return { resources: made, unknown: [...unknown].sort() };
};

/** Validates what was translated. Answers what Terraform finds wrong, a sentence each. */
export const validate = async (folder: string, { resources }: Translated): Promise<string[]> => {
  writeFileSync(
    join(folder, "main.tf.json"),
    JSON.stringify({ resource: resources }, (_, value) => (typeof value === "string" ? literal(value) : value)),
  );
  const { stdout } = await run("terraform", ["validate", "-json"], { cwd: folder, env, maxBuffer: MAX_OUTPUT }).catch(
    (error: { stdout: string }) => error,
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ summary, detail, snippet }) => `${snippet?.context ?? ""}: ${summary}: ${detail}`);
};

/** Terraform fills in what is in `${…}` and `%{…}`: in a build's commands it is the shell's. */
const literal = (text: string): string => text.replace(/([$%])\{/g, "$1$1{");

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** "aws:lambda/eventSourceMapping:EventSourceMapping" → "aws_lambda_event_source_mapping" */
const terraformType = ({ type }: Resource): string | undefined => {
  const [, service, resource] = /^aws:(\w+)\/(\w+):/.exec(type) ?? [];
  if (service === undefined || resource === undefined) return undefined;
  if (resource === "bucketObjectv2") return undefined; // the bundles of functions: a file that only a deployment has
  return `aws_${service}_${snake(resource)}`;
};

const singular = (name: string): string[] => [name, name.replace(/s$/, ""), name.replace(/es$/, ""), name.replace(/ies$/, "y")];

/** Where Pulumi has another word than its own rule gives. */
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aws_lambda_function: { name: "function_name" },
  aws_lambda_permission: { function: "function_name" },
  aws_cloudwatch_metric_alarm: { name: "alarm_name" },
};
/** What Pulumi names itself where nobody does. */
const named: readonly string[] = [
  "aws_cloudfront_cache_policy",
  "aws_cloudfront_function",
  "aws_cloudfront_key_value_store",
  "aws_cloudfront_origin_access_control",
  "aws_cloudfront_origin_request_policy",
  "aws_cloudwatch_log_metric_filter",
  "aws_cloudwatch_metric_alarm",
];

const withName = (resource: Resource, type: string): Resource["inputs"] => {
  const { code, name, ...inputs } = resource.inputs;
  const own = name ?? (named.includes(type) ? resource.name : undefined);
  return {
    ...inputs,
    ...(own !== undefined && { name: own }),
    // an archive of files in memory, which Terraform does not have
    ...(code !== undefined &&
      (["aws_lambda_function", "aws_lambda_layer_version"].includes(type) ? { filename: "placeholder.zip" } : { code })),
  };
};

const block = (inputs: Readonly<Record<string, unknown>>, schema: Schema, path: string, unknown: Set<string>): Record<string, unknown> => {
  const made: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(inputs)) {
    const name = renamed[path]?.[key] ?? snake(key);
    const nested = singular(name).find((one) => schema.block_types?.[one] !== undefined);
    const found = nested === undefined ? undefined : schema.block_types?.[nested];
    if (schema.attributes?.[name] !== undefined) made[name] = attribute(value, schema.attributes[name]?.type);
    else if (nested !== undefined && found !== undefined)
      made[nested] = (Array.isArray(value) ? value : [value]).map((one) =>
        block(one as Record<string, unknown>, found.block, `${path}.${nested}`, unknown),
      );
    else unknown.add(`${path}.${name}`);
  }
  return made;
};

/** Names inside an object that the provider describes are translated; keys of a map are the user's own. */
const attribute = (value: unknown, type: unknown): unknown => {
  if (!Array.isArray(type)) return value;
  const [kind, inner] = type as [string, unknown];
  if (kind === "object" && typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [snake(key), attribute(one, (inner as Record<string, unknown>)[snake(key)])]),
    );
  if (Array.isArray(value)) return value.map((one) => attribute(one, inner));
  return ["list", "set"].includes(kind) ? [attribute(value, inner)] : value;
};
