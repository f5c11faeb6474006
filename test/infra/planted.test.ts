import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildHandler } from "./support/build-handler.ts";
import { work } from "./support/bundle-config.ts";
import { checks } from "./support/checks.ts";
import { all, changed, extended, type Graph, graphOf } from "./support/graph.ts";

/** A check that cannot fail checks nothing: each mistake here must be named. */
let graph: Graph;
let folder: string;
beforeAll(() => {
  graph = graphOf("production");
  folder = mkdtempSync(join(work, "planted-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the check names", () => {
  it("a handler that does not export what AWS would call", async () => {
    writeFileSync(join(folder, "handler.ts"), "export const handle = async () => undefined;\n");
    const { errors } = await buildHandler(folder, "handler.handler", join(folder, "out"));
    expect(errors).toEqual(['handler does not export "handler"']);
    const [first, ...rest] = graph.builds;
    if (first === undefined) throw new Error("nothing was bundled");
    expect(checks.handlers({ ...graph, builds: [{ ...first, errors }, ...rest] })).toEqual([
      `${first.handler}: handler does not export "handler"`,
    ]);
  });

  it("a handler whose file or import does not exist", async () => {
    expect((await buildHandler(folder, "nowhere/handler.handler", join(folder, "out"))).errors).toEqual([
      "the handler nowhere/handler.handler has no file",
    ]);
    writeFileSync(join(folder, "lost.ts"), 'import { gone } from "./gone.ts";\nexport const handler = gone;\n');
    expect((await buildHandler(folder, "lost.handler", join(folder, "out"))).errors).toEqual(['Could not resolve "./gone.ts"']);
  });

  it("a bundle that is too large", () => {
    const builds = graph.builds.map((build) => (build.handler.includes("/advance/") ? { ...build, bytes: 1_500_001 } : build));
    expect(checks.handlers({ ...graph, builds })).toEqual(["services/advance/handler.handler is 1500001 bytes, above 1500000"]);
  });

  it("a queue without a dead-letter queue", () => {
    const planted = changed(graph, "queue", "shiplog-flip-alias", ({ redrivePolicy, ...inputs }) => ({ inputs }));
    expect(checks.deadLetters(planted)).toContain("the queue shiplog-flip-alias has no dead-letter queue");
    expect(checks.deadLetters(extended(graph, "queue", "Extra", { name: "shiplog-extra", arn: "arn:extra" }))).toEqual([
      "the queue shiplog-extra has no dead-letter queue",
    ]);
  });

  it("dead letters that go before the messages themselves would", () => {
    const planted = changed(graph, "queue", "shiplog-advance-dead", (inputs) => ({
      inputs: { ...inputs, messageRetentionSeconds: 3_600 },
    }));
    expect(checks.deadLetters(planted)).toEqual(["the dead letters of shiplog-advance are not kept longer than its messages"]);
  });

  it("a message that comes again while it is worked on", () => {
    const planted = changed(graph, "queue", "shiplog-publish-release", (inputs) => ({
      inputs: { ...inputs, visibilityTimeoutSeconds: 3_599 },
    }));
    expect(checks.visibility(planted)).toEqual([
      "shiplog-publish-release hides a message for 3599 s, and shiplog-publish-release needs 3600 s",
    ]);
  });

  it("a mapping that fails whole batches", () => {
    const planted = changed(graph, "mapping", "RelayMapping", ({ functionResponseTypes, ...inputs }) => ({ inputs }));
    expect(checks.partialFailures(planted)).toEqual(["the mapping RelayMapping does not report partial failures"]);
  });

  it("a consumer with another pattern, a rule that is off, and a subscriber that nobody listed", () => {
    const pattern = changed(graph, "rule", "shiplog-advance", (inputs) => ({ inputs: { ...inputs, eventPattern: '{"source":["x"]}' } }));
    expect(checks.topology(pattern)).toEqual(["the rule of advance has another pattern"]);
    const off = changed(graph, "rule", "shiplog-advance", (inputs) => ({ inputs: { ...inputs, state: "DISABLED" } }));
    expect(checks.topology(off)).toEqual(["the rule of advance is not enabled"]);
    expect(checks.topology(extended(graph, "rule", "Extra", { name: "somebody-else" }))).toEqual([
      "the rule somebody-else is not in the topology",
    ]);
  });

  it("a second reader of a queue", () => {
    const queue = graph.resources.find(({ inputs, type }) => inputs.name === "shiplog-advance" && type.startsWith("aws:sqs"));
    const inputs = {
      eventSourceArn: queue?.outputs.arn,
      functionName: "shiplog-project",
      functionResponseTypes: ["ReportBatchItemFailures"],
    };
    expect(checks.topology(extended(graph, "mapping", "Extra", inputs))).toEqual([
      "the queue of advance is read by shiplog-advance, shiplog-project",
    ]);
  });

  it("a role that may do more than it needs", () => {
    const widened = (Action: string[], Resource: string[]) =>
      changed(graph, "role", "AdvanceRole", (inputs) => {
        const policy = JSON.parse(inputs.inlinePolicies[0].policy);
        policy.Statement.push({ Effect: "Allow", Action, Resource });
        return { inputs: { ...inputs, inlinePolicies: [{ name: "rights", policy: JSON.stringify(policy) }] } };
      });
    expect(checks.roles(widened(["dynamodb:DeleteTable"], ["*"]))).toEqual(["AdvanceRole may do dynamodb:DeleteTable on everything"]);
    expect(checks.roles(widened(["s3:*"], ["arn:aws:s3:::x"]))).toEqual(["AdvanceRole may do s3:*"]);
    const managed = changed(graph, "role", "AdvanceRole", (inputs) => ({
      inputs: { ...inputs, managedPolicyArns: ["arn:aws:iam::aws:policy/x"] },
    }));
    expect(checks.roles(managed)).toEqual(["AdvanceRole has managed policies, whose rights are AWS's to change"]);
  });

  it("two functions that share a role", () => {
    const role = graph.resources.find(({ inputs, type }) => inputs.name === "shiplog-project" && type.startsWith("aws:lambda/function"))
      ?.inputs.role;
    const planted = changed(graph, "function", "shiplog-advance", (inputs) => ({ inputs: { ...inputs, role } }));
    expect(checks.roles(planted)).toEqual([expect.stringContaining("share a role")]);
  });

  it("a function or an alias that would get its first code back", () => {
    const code = changed(graph, "function", "shiplog-web-preview-server", () => ({ ignoreChanges: ["timeout"] }));
    expect(checks.releases(code)).toContain("the function WebPreviewServerFunction would get back its code");
    const alias = changed(graph, "alias", "WebPreviewServerLive", () => ({ ignoreChanges: ["description", "routingConfig"] }));
    expect(checks.releases(alias)).toEqual(["the alias WebPreviewServerLive would get back its functionVersion"]);
  });

  it("a request that no router sees, and a router without a table of its own", () => {
    const unseen = changed(
      graph,
      "distribution",
      "WebProductionCdnDistribution",
      ({ orderedCacheBehaviors: [first, ...rest], ...inputs }) => ({
        inputs: { ...inputs, orderedCacheBehaviors: [{ ...first, functionAssociations: [] }, ...rest] },
      }),
    );
    expect(checks.edges(unseen)).toEqual(["WebProductionCdnDistribution has behaviours that one router does not see"]);
    const router = all(graph, "router")[0];
    const blind = changed(graph, "router", "EdgeRouter", (inputs) => ({ inputs: { ...inputs, keyValueStoreAssociations: [] } }));
    expect(checks.edges(blind)).toContain("EdgeRouter looks into no table, or into several");
    const second = extended(graph, "router", "EdgeRouter2", { ...router?.inputs, arn: "arn:second" });
    expect(checks.edges(second)).toEqual(["EdgeRouter shares its table", "EdgeRouter2 shares its table"]);
  });

  it("an edge that names the release on some of its answers alone", () => {
    const header = extended(graph, "router", "EdgeHeader", { runtime: "cloudfront-js-2.0", code: "", arn: "arn:header" });
    const some = changed(header, "distribution", "WebProductionCdnDistribution", ({ defaultCacheBehavior, ...inputs }) => ({
      inputs: {
        ...inputs,
        defaultCacheBehavior: {
          ...defaultCacheBehavior,
          functionAssociations: [...defaultCacheBehavior.functionAssociations, { eventType: "viewer-response", functionArn: "arn:header" }],
        },
      },
    }));
    expect(checks.edges(some)).toEqual(["WebProductionCdnDistribution names the release on some answers alone"]);
  });

  it("a router that is larger than any function of CloudFront, or of a runtime without tables", () => {
    const large = changed(graph, "router", "EdgeRouter", (inputs) => ({ inputs: { ...inputs, code: "x".repeat(10_241) } }));
    expect(checks.edges(large)).toEqual(["EdgeRouter has 10241 bytes, above 10240"]);
    const old = changed(graph, "router", "EdgeRouter", (inputs) => ({ inputs: { ...inputs, runtime: "cloudfront-js-1.0" } }));
    expect(checks.edges(old)).toEqual(["EdgeRouter runs on cloudfront-js-1.0, which knows no table"]);
  });

  it("more behaviours than CloudFront takes, and an edge that the router can send to no files", () => {
    const many = changed(graph, "distribution", "WebProductionCdnDistribution", (inputs) => ({
      inputs: { ...inputs, orderedCacheBehaviors: Array.from({ length: 75 }, () => inputs.defaultCacheBehavior) },
    }));
    expect(checks.edges(many)).toEqual(["WebProductionCdnDistribution has 76 behaviours, above 75"]);
    const other = changed(graph, "distribution", "WebProductionCdnDistribution", (inputs) => ({
      inputs: { ...inputs, origins: inputs.origins.filter(({ originId }: { originId: string }) => originId !== "files") },
    }));
    expect(checks.edges(other)).toEqual(['WebProductionCdnDistribution has no origin "files"']);
  });

  it("data that would go with production", () => {
    const planted = changed(graph, "table", "shiplog-events", () => ({ retainOnDelete: false }));
    expect(checks.retention(planted)).toEqual(["EventsTable goes with the stage"]);
    const bare = changed(graph, "table", "shiplog-events", (inputs) => ({ inputs: { ...inputs, deletionProtectionEnabled: false } }));
    expect(checks.retention(bare)).toEqual(["EventsTable has deletion protection false"]);
  });
});
