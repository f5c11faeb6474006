import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { componentName, engineFunctions } from "../../blueprint/engine-functions.ts";
import { checks } from "./support/checks.ts";
import { all, configIn, evaluate, type Graph, graphOf, one, type Resource, statements } from "./support/graph.ts";

const SITES = 150;
const ENVIRONMENTS = ["production", "preview"];

let folder: string;
let few: Graph;
let many: Graph;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shiplog-hundreds-"));
  const sites = join(folder, "sites.json");
  const declared = Array.from({ length: SITES }, (_, number) => ({
    name: `site-${number}`,
    source: ".",
    environments: ENVIRONMENTS.map((name) => ({ name })),
    variables: ["API_URL", "DATABASE_URL"],
  }));
  writeFileSync(sites, JSON.stringify({ sites: declared }));
  few = graphOf("production");
  many = await evaluate("production", { sites, file: join(folder, "graph.json") });
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whose name says that it belongs to a site of the fixture. */
const isOfSite = ({ name }: Resource): boolean => /^(Web|Shop)/.test(name);
/** A provider is made for the certificate of a domain, and a bundle is named by the folder that it was made in. */
const isOfEvaluation = ({ type }: Resource): boolean => /^pulumi:providers:|bucketObjectv2/.test(type);
const policies = (graph: Graph, role: string): string[] =>
  (one(graph, "role", role).inputs.inlinePolicies as { policy: string }[]).map(({ policy }) => withFirstTable(policy));
/** Without the tables of edges after the first: ninety environments share one. */
const withFirstTable = (text: string): string => text.replace(/,\\*"arn:aws:cloudfront::\d+:key-value-store\/[\w-]+\\*"/g, "");

describe("an account with 300 environments", () => {
  it.each(engineFunctions.map(({ name }) => name))("gives %s the very rights that it has with three", (name) => {
    const role = `${componentName(name)}Role`;
    expect(policies(many, role)).toEqual(policies(few, role));
  });

  it("has everything of the engine's own as with three, besides the document that lists them", () => {
    const same = new Map(many.resources.map((resource) => [`${resource.kind} ${resource.type} ${resource.name}`, resource]));
    const engine = few.resources.filter((resource) => !isOfSite(resource) && !isOfEvaluation(resource));
    expect(engine.length).toBeGreaterThan(150);
    const others = engine.filter(
      ({ kind, type, name, inputs }) =>
        withFirstTable(JSON.stringify(same.get(`${kind} ${type} ${name}`)?.inputs ?? null)) !== JSON.stringify(inputs),
    );
    expect(others.map(({ type, name }) => `${type} ${name}`)).toEqual(["aws:lambda/layerVersion:LayerVersion Config"]);
  });

  it("tells the engine of each", () => {
    const { sites } = configIn(many);
    expect(new Set(sites.map(({ site, environment }) => `${site}/${environment}`)).size).toBe(SITES * ENVIRONMENTS.length);
  });

  it("stays below what AWS takes of each policy and of each function's environment", () => {
    for (const { name, inputs } of [...all(many, "role"), ...all(few, "role")])
      expect(JSON.stringify(inputs.inlinePolicies).length, name).toBeLessThan(10_240);
    for (const { name, inputs } of all(many, "bucketPolicy")) expect(inputs.policy.length, name).toBeLessThan(20_480);
    // as Lambda counts: the JSON of the variables, every quote escaped
    for (const { name, inputs } of all(many, "function"))
      expect(Buffer.byteLength(JSON.stringify(JSON.stringify(inputs.environment?.variables ?? {}))), name).toBeLessThan(4_096);
  });

  it("lets no more than a hundred distributions share what CloudFront lets a hundred share", () => {
    const cdns = all(many, "distribution").map(({ inputs }) => inputs);
    const shared = cdns.flatMap(({ defaultCacheBehavior, orderedCacheBehaviors, origins }) => [
      ...new Set<string>([
        ...[defaultCacheBehavior, ...orderedCacheBehaviors].flatMap(({ cachePolicyId, functionAssociations = [] }) => [
          cachePolicyId,
          ...functionAssociations.map(({ functionArn }: { functionArn: string }) => functionArn),
        ]),
        ...origins.flatMap(({ originAccessControlId }: { originAccessControlId?: string }) => originAccessControlId ?? []),
      ]),
    ]);
    const sharers = Map.groupBy(shared, (name) => name);
    // pages, pictures, files, the function and the access to S3, for each ninety
    expect([cdns.length, sharers.size]).toEqual([300, 20]);
    for (const [name, { length }] of sharers) expect(length, name).toBeLessThanOrEqual(90);
  });

  it("has a router and a table for each ninety, which the engine is told of and may write", () => {
    const routers = all(many, "router");
    const tables = all(many, "edgeTable").map(({ outputs }) => outputs.arn as string);
    expect([routers.length, new Set(tables).size]).toEqual([4, 4]);
    const tableOf = new Map(routers.map(({ outputs, inputs }) => [outputs.arn, inputs.keyValueStoreAssociations[0]]));
    const looked = new Map(
      all(many, "distribution").map(({ outputs, inputs }) => [
        outputs.id ?? outputs.arn.split("/").at(-1),
        tableOf.get(inputs.defaultCacheBehavior.functionAssociations[0].functionArn),
      ]),
    );
    for (const { site, environment, distribution, edgeTable } of configIn(many).sites)
      expect(edgeTable, `${site}/${environment}`).toBe(looked.get(distribution));
    const written = ["FlipAliasRole", "PublishReleaseRole", "EndReleaseRole"].map((role) =>
      statements(one(many, "role", role)).flatMap(({ Action, Resource }) =>
        Action.includes("cloudfront-keyvaluestore:UpdateKeys") ? Resource : [],
      ),
    );
    for (const own of written) expect([...own].sort()).toEqual([...tables].sort());
  });

  it.each(Object.keys(checks) as (keyof typeof checks)[])("passes the check of %s", (name) => {
    expect(checks[name](many)).toEqual([]);
  });
});
