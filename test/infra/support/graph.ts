import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineConfig } from "../../../blueprint/engine-config.ts";
import { root, work } from "./bundle-config.ts";
import type { Build } from "./cli-server.ts";

/** A resource as it was declared. Its inputs are whatever its kind takes. */
export type Resource = {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly kind: "registerResource" | "readResource";
  // biome-ignore lint/suspicious/noExplicitAny: each kind of resource has inputs of its own
  readonly inputs: Record<string, any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly outputs: Record<string, any>;
  readonly dependsOn: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
};

/** Everything that `sst.config.ts` declares for a stage, and every bundle that was made for it. */
export type Graph = {
  readonly app: { readonly stage: string; readonly protect: boolean; readonly removal: string };
  readonly resources: readonly Resource[];
  readonly builds: readonly Build[];
  readonly errors: readonly string[];
};

const types = {
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  alias: "aws:lambda/alias:Alias",
  bucket: "aws:s3/bucket:Bucket",
  bucketPolicy: "aws:s3/bucketPolicy:BucketPolicy",
  cachePolicy: "aws:cloudfront/cachePolicy:CachePolicy",
  distribution: "aws:cloudfront/distribution:Distribution",
  edgeTable: "aws:cloudfront/keyValueStore:KeyValueStore",
  function: "aws:lambda/function:Function",
  key: "aws:kms/key:Key",
  layer: "aws:lambda/layerVersion:LayerVersion",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  mapping: "aws:lambda/eventSourceMapping:EventSourceMapping",
  permission: "aws:lambda/permission:Permission",
  project: "aws:codebuild/project:Project",
  queue: "aws:sqs/queue:Queue",
  role: "aws:iam/role:Role",
  router: "aws:cloudfront/function:Function",
  rule: "aws:cloudwatch/eventRule:EventRule",
  secret: "aws:secretsmanager/secret:Secret",
  table: "aws:dynamodb/table:Table",
  target: "aws:cloudwatch/eventTarget:EventTarget",
  url: "aws:lambda/functionUrl:FunctionUrl",
} as const;
export type Kind = keyof typeof types;

/** Where the graph of a stage is kept, once it was evaluated. */
const fileOf = (stage: string): string => join(work, "check", `${stage}.json`);

/** What is not as it is for `graphOf`. */
type Evaluation = {
  /** the checkout */
  readonly folder?: string;
  readonly sites?: string;
  /** its names carry the stage, where that is not production */
  readonly named?: boolean;
  /** where the graph is written */
  readonly file?: string;
  /** variables besides those of this process */
  readonly variables?: Readonly<Record<string, string>>;
};

/** Runs `sst.config.ts` for a stage, in a process of its own. */
export const evaluate = async (
  stage: string,
  {
    folder = root,
    sites = join(root, "test/infra/fixtures/sites.json"),
    file = fileOf(stage),
    named = false,
    variables = {},
  }: Evaluation = {},
): Promise<Graph> => {
  mkdirSync(join(work, "check"), { recursive: true });
  await promisify(execFile)(process.execPath, [join(folder, "test/infra/support/evaluate.ts"), stage, file], {
    cwd: folder,
    env: {
      ...process.env,
      SHIPLOG_SITES: sites,
      SHIPLOG_THROWAWAY: stage === "production" ? "" : stage,
      // as one that was deployed before names carried the stage: what is compared with it has none in its names
      SHIPLOG_DEFAULT_STAGE: named ? "production" : stage,
      ...variables,
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(readFileSync(file, "utf8")) as Graph;
};

/** The stages that are evaluated before the first test. */
export const stages = ["production", "throw-away"] as const;

/** The graph of a stage, as it was evaluated before the first test. */
export const graphOf = (stage: (typeof stages)[number]): Graph => JSON.parse(readFileSync(fileOf(stage), "utf8")) as Graph;

/** Those that the project makes; SST also looks up some that exist already. */
export const all = ({ resources }: Graph, kind: Kind): Resource[] =>
  resources.filter((resource) => resource.type === types[kind] && resource.kind === "registerResource");

/** The one of that name: its name on AWS, or, where it has none of its own, the one in the code. */
export const one = (graph: Graph, kind: Kind, name: string): Resource => {
  const found = all(graph, kind).filter((resource) => (resource.inputs.name ?? resource.name) === name || resource.name === name);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`the graph has ${found.length} of ${kind} "${name}", not one`);
  return only;
};

/** What the engine's functions are told. */
export const configIn = (graph: Graph): EngineConfig =>
  EngineConfig.parse(JSON.parse(one(graph, "layer", "Config").inputs.code.assets["shiplog.json"].text));

export type Statement = {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** What a role's own policies say. */
export const statements = ({ inputs }: Resource): Statement[] =>
  ((inputs.inlinePolicies ?? []) as { policy: string }[]).flatMap(({ policy }) => JSON.parse(policy).Statement as Statement[]);

/** The graph with one resource changed. */
export const changed = (graph: Graph, kind: Kind, name: string, change: (inputs: Resource["inputs"]) => Partial<Resource>): Graph => {
  const { urn } = one(graph, kind, name);
  return {
    ...graph,
    resources: graph.resources.map((resource) => (resource.urn === urn ? { ...resource, ...change(resource.inputs) } : resource)),
  };
};

/** The graph with one resource more. */
export const extended = (graph: Graph, kind: Kind, name: string, inputs: Resource["inputs"]): Graph => ({
  ...graph,
  resources: [
    ...graph.resources,
    {
      urn: `planted::${name}`,
      type: types[kind],
      name,
      kind: "registerResource",
      inputs,
      outputs: inputs,
      dependsOn: [],
      protect: false,
      retainOnDelete: false,
      ignoreChanges: [],
    },
  ],
});
