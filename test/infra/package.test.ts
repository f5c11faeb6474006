import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sitesSchema } from "../../blueprint/sites-schema.ts";
import { workFolder } from "../../operator/infrastructure/sst.ts";
import { root, work } from "./support/bundle-config.ts";
import { evaluate, type Graph, graphOf } from "./support/graph.ts";

let folder: string;
let graph: Graph;
beforeAll(async () => {
  folder = mkdtempSync(join(work, "package-"));
  await promisify(execFile)(process.execPath, [join(root, "scripts/build.ts"), folder]);
  const aws = join(folder, "data/aws");
  await workFolder(join(folder, "shiplog"), aws);
  // what `npm i` and SST would put there, and the tests' own evaluation
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  symlinkSync(work, join(aws, ".sst"));
  cpSync(join(root, "test/infra/support"), join(aws, "test/infra/support"), { recursive: true });
  graph = await evaluate("production", { folder: aws, file: join(folder, "graph.json") });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the infrastructure out of the installed package", () => {
  it("is the same, resource by resource, as out of a clone", () => {
    const known = ({ resources }: Graph) => resources.map(({ type, name }) => `${type} ${name}`).sort();
    expect(graph.errors).toEqual([]);
    expect(graph.resources.length).toBeGreaterThan(200);
    expect(known(graph)).toEqual(known(graphOf("production")));
  });

  it("has every function's code, bundled from the package's own sources", () => {
    const bundles = ({ builds }: Graph) => builds.map(({ handler, errors }) => `${handler} ${errors.join()}`).sort();
    expect(graph.builds.length).toBeGreaterThan(10);
    expect(bundles(graph)).toEqual(bundles(graphOf("production")));
    const sizes = new Map(graphOf("production").builds.map(({ handler, bytes }) => [handler, bytes]));
    // the API's has its package.json in it, and the package's says less
    const manifest = statSync(join(root, "package.json")).size;
    for (const { handler, bytes } of graph.builds) {
      const difference = (sizes.get(handler) ?? 0) - bytes;
      expect(
        handler.startsWith("services/api/") ? difference > 0 && difference < manifest : difference === 0,
        `${handler} ${difference}`,
      ).toBe(true);
    }
  });
});

it("the package has the edge's files where the local edge and where SST look for them", () => {
  const text = (path: string) => readFileSync(path, "utf8");
  for (const place of ["blueprint", "aws/blueprint"])
    for (const file of ["edge-router.js", "edge-answer.js"])
      expect(text(join(folder, "shiplog", place, file)), `${place}/${file}`).toBe(text(join(root, "blueprint", file)));
});

it("the package has the sites file's schema for editors, and it is what the code says", () => {
  expect(JSON.parse(readFileSync(join(folder, "shiplog/sites.schema.json"), "utf8"))).toEqual(sitesSchema());
});
