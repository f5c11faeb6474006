import { beforeAll, describe, expect, it } from "vitest";
import { cfnLintMissing, lint } from "./support/cfn-lint.ts";
import { logicalName, templateOf } from "./support/cloudformation.ts";
import { all, type Graph, graphOf, type Kind, type Resource, stages } from "./support/graph.ts";

/** A witness that we did not write: cfn-lint, with the schemas that AWS has of its own resources. */
let missing: string | undefined;
beforeAll(async () => {
  missing = await cfnLintMissing();
});

it.for(stages)("cfn-lint accepts every resource of the stage %s", async (stage, { skip }) => {
  if (missing !== undefined) return skip(missing);
  const { template, untranslated } = templateOf(graphOf(stage));
  const kinds = Object.values(template.Resources).map(({ Type }) => Type);
  console.log(`${kinds.length} resources of ${new Set(kinds).size} kinds`);
  expect(untranslated).toEqual([]);
  expect(kinds.length).toBeGreaterThan(150);
  expect(await lint(template)).toEqual([]);
});

type Inputs = Resource["inputs"];
type Plant = { kind: Kind; where?: (inputs: Inputs) => boolean; change: (inputs: Inputs) => object; says: string };

/** The policy of a role with its first statement changed. */
const policy =
  (change: (statement: { Action: string[]; Resource: string[] }) => object) =>
  ({ inlinePolicies }: Inputs): object => {
    const [{ name, policy: text }] = inlinePolicies;
    const { Statement, ...document } = JSON.parse(text);
    const [first, ...rest] = Statement;
    return { inlinePolicies: [{ name, policy: JSON.stringify({ ...document, Statement: [change(first), ...rest] }) }] };
  };
const ofQueue = ({ eventSourceArn, scalingConfig }: Inputs): boolean => eventSourceArn.includes(":sqs:") && scalingConfig !== undefined;

const plants: Readonly<Record<string, Plant>> = {
  "a right that does not exist": {
    kind: "role",
    change: policy((statement) => ({ ...statement, Action: [...statement.Action, "sqs:RecieveMessage"] })),
    says: "recievemessage",
  },
  "a statement that says of nothing on what": {
    kind: "role",
    change: policy(({ Resource, ...statement }) => statement),
    says: "'Resource'",
  },
  "a runtime that does not exist": { kind: "function", change: () => ({ runtime: "nodejs23.x" }), says: "nodejs23.x" },
  "a function that may take longer than any": { kind: "function", change: () => ({ timeout: 1_000 }), says: "maximum of 900" },
  "a function of too little memory": { kind: "function", change: () => ({ memorySize: 64 }), says: "minimum of 128" },
  "a function's name that is too long": { kind: "function", change: () => ({ name: "x".repeat(70) }), says: "longer than 64" },
  "an input that nothing has": { kind: "function", change: () => ({ tmieout: 3 }), says: "Tmieout" },
  "a mapping of one message at a time": {
    kind: "mapping",
    where: ofQueue,
    change: () => ({ scalingConfig: { maximumConcurrency: 1 } }),
    says: "minimum of 2",
  },
  "a queue that hides its messages for longer than any": {
    kind: "queue",
    change: () => ({ visibilityTimeoutSeconds: 46_800 }),
    says: "maximum of 43200",
  },
  "a queue that keeps its messages for longer than any": {
    kind: "queue",
    change: () => ({ messageRetentionSeconds: 1_296_000 }),
    says: "maximum of 1209600",
  },
  "dead letters of another kind than their queue": {
    kind: "queue",
    where: ({ fifoQueue, redrivePolicy }) => fifoQueue === true && redrivePolicy !== undefined,
    change: ({ redrivePolicy }) => ({
      redrivePolicy: redrivePolicy.replace(/:[^:"]+","max|:[^:"]+"}/, (end: string) => end.replace(/:[^"]+/, ":shiplog-advance-dead")),
    }),
    says: "does not match",
  },
  "a log that is kept for no number of days that AWS has": {
    kind: "logGroup",
    change: () => ({ retentionInDays: 31 }),
    says: "31 is not one of",
  },
  "a key of no kind that AWS has": {
    kind: "key",
    change: () => ({ customerMasterKeySpec: "ECC_NIST_EDWARDS25518" }),
    says: "EDWARDS25518",
  },
  "an alarm that compares in no known way": { kind: "alarm", change: () => ({ comparisonOperator: "Greater" }), says: "'Greater'" },
  "an alarm of a period that there is not": { kind: "alarm", change: () => ({ period: 45 }), says: "45 is not one of" },
  "a schedule of a wrong plural": {
    kind: "rule",
    where: ({ scheduleExpression }) => scheduleExpression !== undefined,
    change: () => ({ scheduleExpression: "rate(1 minutes)" }),
    says: "'minutes'",
  },
  "a key of a table that is no attribute": { kind: "table", change: () => ({ hashKey: "pkx" }), says: "pkx" },
  "a permission for no kind of address": { kind: "permission", change: () => ({ functionUrlAuthType: "PUBLIC" }), says: "'PUBLIC'" },
  "an alias that is called like a version": { kind: "alias", change: () => ({ name: "12" }), says: "'12' does not match" },
  "a behaviour of a server that there is not": {
    kind: "distribution",
    change: ({ defaultCacheBehavior }) => ({ defaultCacheBehavior: { ...defaultCacheBehavior, targetOriginId: "servr" } }),
    says: "'servr'",
  },
};

/** Each plant on a resource of its own, so that one look finds them all. */
const planted = (graph: Graph): { graph: Graph; places: Record<string, string> } => {
  const places: Record<string, string> = {};
  const changes = new Map<string, object>();
  for (const [what, { kind, where = () => true, change }] of Object.entries(plants)) {
    const free = all(graph, kind).find(({ urn, inputs }) => !changes.has(urn) && where(inputs));
    if (free === undefined) throw new Error(`the graph has no ${kind} left for ${what}`);
    changes.set(free.urn, change(free.inputs));
    places[what] = logicalName(free);
  }
  const resources = graph.resources.map((resource) => ({ ...resource, inputs: { ...resource.inputs, ...changes.get(resource.urn) } }));
  return { graph: { ...graph, resources }, places };
};

describe("cfn-lint names", () => {
  let found: readonly string[] = [];
  let places: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    if (missing !== undefined) return;
    const all = planted(graphOf("production"));
    places = all.places;
    found = await lint(templateOf(all.graph).template);
  });

  it.for(Object.entries(plants))("%s", ([what, { says }], { skip }) => {
    if (missing !== undefined) return skip(missing);
    const own = found.filter((finding) => finding.startsWith(`${places[what]}.`));
    expect(own).toContainEqual(expect.stringContaining(says));
  });
});
