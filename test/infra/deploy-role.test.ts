import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./support/bundle-config.ts";
import { graphOf, type Resource, stages } from "./support/graph.ts";

type Statement = { readonly Action: string | readonly string[]; readonly Resource: string | readonly string[] };

/** The policy of docs/aws.md that a role for deployments has. */
const policyOf = (text: string): { text: string; statements: readonly Statement[] } => {
  const blocks = [...text.matchAll(/```json\n([\s\S]*?)\n```/g)].map(([, json = ""]) => json);
  const found = blocks.find((json) => json.includes("iam:PassRole")) ?? "{}";
  return { text: found, statements: (JSON.parse(found) as { Statement: readonly Statement[] }).Statement };
};
const policy = policyOf(readFileSync(join(root, "docs/aws.md"), "utf8"));

/** What IAM calls the service of a kind of resource, where Pulumi calls it otherwise. */
const SERVICES: readonly (readonly [type: RegExp, service: string])[] = [
  [/^apigatewayv2\//, "apigateway"],
  [/^cloudwatch\/event/, "events"],
  [/^cloudwatch\/log/, "logs"],
];
const serviceOf = ({ type }: Resource): string => {
  const [, kind = ""] = type.split(/^aws:/);
  return SERVICES.find(([pattern]) => pattern.test(kind))?.[1] ?? kind.slice(0, kind.indexOf("/"));
};
/** Who may only look makes nothing. */
const MAKES = /:(\*|Create|Put|Change)/;
const listOf = (value: string | readonly string[]): readonly string[] => [value].flat();
const matches = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "s").test(text);
const allows = (service: string, arn: string): boolean =>
  policy.statements.some(
    ({ Action, Resource }) =>
      listOf(Action).some((action) => MAKES.test(action) && action.startsWith(`${service}:`)) &&
      listOf(Resource).some((pattern) => matches(pattern, arn)),
  );

describe.each(stages)("the role for deployments that docs/aws.md lists, and the stage %s", (stage) => {
  it("may make each resource that is declared", () => {
    const made = graphOf(stage).resources.filter(({ type, kind }) => type.startsWith("aws:") && kind === "registerResource");
    expect(made.length).toBeGreaterThan(100);
    const refused = made.filter((one) => !allows(serviceOf(one), arnOf(one)));
    expect(refused.map((one) => `${one.type} ${one.name}: ${arnOf(one)}`)).toEqual([]);
  });
});

it("fits into a role, and every service in it is one that is declared or SST's own", () => {
  expect(JSON.stringify(JSON.parse(policy.text)).length).toBeLessThan(10_240);
  const declared = new Set(
    stages.flatMap((stage) =>
      graphOf(stage)
        .resources.filter(({ type }) => type.startsWith("aws:"))
        .map(serviceOf),
    ),
  );
  // looked up for how much the account may run at a time: no resource says so
  declared.add("servicequotas");
  const named = new Set(policy.statements.flatMap(({ Action }) => listOf(Action).map((action) => action.slice(0, action.indexOf(":")))));
  expect([...named].filter((service) => !declared.has(service)).sort()).toEqual(["ecr"]);
});

/** What belongs to a bucket, a table, a queue or a secret has no ARN of its own that says whose it is. */
function arnOf({ type, inputs, outputs }: Resource): string {
  if (type.startsWith("aws:s3/")) return `arn:aws:s3:::${inputs.bucket}`;
  if (type === "aws:sqs/queuePolicy:QueuePolicy") return `arn:aws:sqs:eu-west-1:123456789012:${String(inputs.queueUrl).split("/").at(-1)}`;
  if (type === "aws:ssm/parameter:Parameter") return `arn:aws:ssm:eu-west-1:123456789012:parameter${inputs.name}`;
  if (type === "aws:secretsmanager/secretVersion:SecretVersion") return String(inputs.secretId);
  return String(outputs.arn ?? "");
}
