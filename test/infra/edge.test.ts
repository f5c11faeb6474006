import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./support/bundle-config.ts";
import { checks } from "./support/checks.ts";
import { all, configIn, evaluate, type Graph, graphOf, one, statements } from "./support/graph.ts";

let folder: string;
let graph: Graph;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shiplog-apps-"));
  mkdirSync(join(folder, "full/public"), { recursive: true });
  for (let number = 0; number < 5_000; number++) writeFileSync(join(folder, `full/public/file ${number} [x]`), "");
  const sites = join(folder, "sites.json");
  const environments = [{ name: "production" }];
  const declared = [
    { name: "full", source: "full", environments },
    { name: "elsewhere", source: "../another-repository", environments },
    { name: "told", source: "../another-repository", environments, build: { commands: ["make"] } },
    { name: "named", source: "full", environments, deploymentHeader: true },
  ];
  writeFileSync(sites, JSON.stringify({ sites: declared }));
  graph = await evaluate("production", { sites, file: join(folder, "graph.json") });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const patternsOf = (place: string): string[] =>
  one(graph, "distribution", `${place}CdnDistribution`).inputs.orderedCacheBehaviors.map(
    ({ pathPattern }: { pathPattern: string }) => pathPattern,
  );
/** What is run first in a site's builds. */
const firstCommand = (site: string): string =>
  JSON.parse(one(graph, "project", `shiplog-${site}-production`).inputs.source.buildspec).phases.install.commands[0];

describe("an edge", () => {
  it("has the same behaviours whatever is in an app's public folder, and whether the app is here or not", () => {
    expect(graph.errors).toEqual([]);
    expect(patternsOf("FullProduction")).toEqual(["/_next/image*", "/_next/data/*", "/_next/*", "/*/_next/static/*", "/*/_next/image*"]);
    for (const other of ["ElsewhereProduction", "ToldProduction"]) expect(patternsOf(other)).toEqual(patternsOf("FullProduction"));
    expect(checks.edges(graph)).toEqual([]);
    expect(all(graph, "distribution")).toHaveLength(4);
  });
});

describe("a site that names releases on its answers", () => {
  it("has a second function for that, on every behaviour, which no other site has", () => {
    const header = one(graph, "router", "EdgeHeader");
    expect(header.inputs.code).toBe(readFileSync(join(root, "blueprint/edge-answer.js"), "utf8"));
    expect(header.inputs.runtime).toBe("cloudfront-js-2.0");
    const eventsOf = (place: string) => {
      const { defaultCacheBehavior, orderedCacheBehaviors } = one(graph, "distribution", `${place}CdnDistribution`).inputs;
      return [defaultCacheBehavior, ...orderedCacheBehaviors].map(({ functionAssociations }) =>
        functionAssociations.map(({ eventType, functionArn }: Record<string, string>) => [eventType, functionArn === header.outputs.arn]),
      );
    };
    const asked = ["viewer-request", false];
    const behaviors = patternsOf("NamedProduction").length + 1;
    expect(eventsOf("NamedProduction")).toEqual(Array.from({ length: behaviors }, () => [asked, ["viewer-response", true]]));
    expect(eventsOf("FullProduction")).toEqual(Array.from({ length: behaviors }, () => [asked]));
    expect(all(graphOf("production"), "router").map(({ name }) => name)).toEqual(["EdgeRouter"]);
  });
});

describe("an app that is in another repository", () => {
  it("is built as usual, but not where it turns out to have a buildspec.yml, of which nobody knew", () => {
    expect(firstCommand("elsewhere")).toContain("This app has a buildspec.yml");
  });

  it("is built as the sites file says, and an app that is here as is seen in its folder", () => {
    expect(firstCommand("told")).not.toContain("buildspec.yml");
    expect(firstCommand("full")).not.toContain("buildspec.yml");
  });
});

describe("the edges of production", () => {
  const production = (): Graph => graphOf("production");

  it("keeps pictures apart by their release, and files by their path alone", () => {
    const keyOf = (name: string) => {
      const { queryStringsConfig, headersConfig, cookiesConfig } = one(production(), "cachePolicy", name).inputs
        .parametersInCacheKeyAndForwardedToOrigin;
      return [queryStringsConfig.queryStringBehavior, headersConfig.headers.items, cookiesConfig.cookieBehavior];
    };
    expect(keyOf("ImagesCachePolicy")).toEqual(["allExcept", ["accept", "x-shiplog-release"], "none"]);
    expect(keyOf("FilesCachePolicy")).toEqual(["none", ["x-forwarded-host"], "none"]);
  });

  it("has one router, whose code is the file that the local edge runs, and tells the engine which table it looks up", () => {
    const router = one(production(), "router", "EdgeRouter").inputs;
    const table = one(production(), "edgeTable", "EdgeTable").outputs.arn;
    expect(router.code).toBe(readFileSync(join(root, "blueprint/edge-router.js"), "utf8"));
    expect(router.keyValueStoreAssociations).toEqual([table]);
    expect(configIn(production()).sites.map(({ edgeTable, skewHours }) => [edgeTable, skewHours])).toEqual([
      [table, 24],
      [table, 24],
      [table, 2],
    ]);
  });

  it("lets four functions write that table, none of them list it, and two remove addresses of releases", () => {
    const table = one(production(), "edgeTable", "EdgeTable").outputs.arn;
    const ofTables = all(production(), "role").flatMap((role) =>
      statements(role)
        .filter(({ Action }) => Action.some((action) => action.startsWith("cloudfront-keyvaluestore:")))
        .map(({ Action, Resource }) => [role.name, Action.map((action) => action.split(":")[1]), Resource]),
    );
    expect(ofTables.sort()).toEqual(
      [
        ...["EndReleaseRole", "FlipAliasRole", "PublishReleaseRole", "SweepRole"].map((role) => [
          role,
          ["DescribeKeyValueStore", "GetKey", "UpdateKeys"],
          [table],
        ]),
        ["ReconcileRole", ["DescribeKeyValueStore", "GetKey"], [table]],
      ].sort(),
    );
    const removing = all(production(), "role").flatMap((role) =>
      statements(role).flatMap(({ Effect, Action, Resource }) =>
        Action.includes("lambda:DeleteAlias")
          ? [[role.name, Effect, Resource.map((arn) => arn.replace(/^.*:function:shiplog-\*-\*-/, ""))]]
          : [],
      ),
    );
    expect(removing).toEqual([
      ["EndReleaseRole", "Allow", ["server", "server:r-*", "server-*", "server-*:r-*", "image", "image:r-*"]],
      ["EndReleaseRole", "Deny", ["server:live", "server-*:live", "image:live", "revalidation:live"]],
      ["SweepRole", "Allow", ["server", "server:r-*", "server-*", "server-*:r-*", "image", "image:r-*"]],
      ["SweepRole", "Deny", ["server:live", "server-*:live", "image:live", "revalidation:live"]],
    ]);
  });

  it("lets the sweep delete versions by their numbers, and no function, and nobody else either", () => {
    const deleting = all(production(), "role").flatMap((role) =>
      statements(role).flatMap(({ Action, Resource }) => (Action.includes("lambda:DeleteFunction") ? [[role.name, Resource]] : [])),
    );
    expect(deleting.map(([role]) => role)).toEqual(["SweepRole"]);
    for (const arn of deleting.flatMap(([, resources]) => resources)) expect(arn).toMatch(/:function:shiplog-\*-\*-[a-z*-]+:\*$/);
  });

  it("lets the flip of a release change no file that visitors reach but what an older engine left elsewhere", () => {
    const written = statements(one(production(), "role", "FlipAliasRole")).flatMap(({ Action, Resource }) =>
      Action.some((action) => /^s3:(Put|Delete)/.test(action)) ? [[Action, Resource.map((arn) => arn.replace(/^[^/]*/, ""))]] : [],
    );
    expect(written).toEqual([
      [
        ["s3:GetObject", "s3:PutObject"],
        ["/*/*/_assets/_public/*", "/*/*/_assets/*_next/static/dep_*/*"],
      ],
    ]);
  });
});
