import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checks } from "./support/checks.ts";
import { all, evaluate, type Graph, one } from "./support/graph.ts";

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
    expect(patternsOf("FullProduction")).toEqual(["/_next/image*", "/_next/data/*", "/_next/*", "/*/_next/static/*"]);
    for (const other of ["ElsewhereProduction", "ToldProduction"]) expect(patternsOf(other)).toEqual(patternsOf("FullProduction"));
    expect(checks.edges(graph)).toEqual([]);
    expect(all(graph, "distribution")).toHaveLength(3);
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
