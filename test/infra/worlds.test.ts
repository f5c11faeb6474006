import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsWorld, rightsByRole } from "./support/aws-world.ts";
import { root, work } from "./support/bundle-config.ts";
import { evaluate, graphOf } from "./support/graph.ts";
import type { World } from "./support/world.ts";

const sites = join(root, "test/infra/fixtures/sites.json");

/** What this machine has, made by a checkout of the project. */
const localWorld = async (project: string, file: string): Promise<World> => {
  await promisify(execFile)(process.execPath, [join(project, "test/infra/support/local-world.ts"), sites, file], { cwd: project });
  return JSON.parse(readFileSync(file, "utf8")) as World;
};

let folder: string;
let local: World;
beforeAll(async () => {
  folder = mkdtempSync(join(work, "worlds-"));
  local = await localWorld(root, join(folder, "local.json"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("this machine and AWS", () => {
  it.each(["queues", "rules", "tables", "buckets", "siteFunctions"] as const)("have the same %s", (what) => {
    expect(Object.keys(local[what]).length).toBeGreaterThan(3);
    expect(local[what]).toEqual(awsWorld(graphOf("production"))[what]);
  });
});

describe("a consumer with another name", () => {
  const before = "advance";
  const after = "go-on";
  /** The new names back into the old ones. */
  const undone = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(after, before).replaceAll("GoOn", "Advance"));

  it("has it in both worlds, and nothing else is different", async () => {
    const copy = join(folder, "copy");
    for (const part of [
      "domain",
      "blueprint",
      "engine",
      "services",
      "client",
      "dashboard",
      "infra",
      "local",
      "test/infra/support",
      "sst.config.ts",
      "package.json",
      "tsconfig.json",
    ])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    for (const part of ["node_modules", ".sst"]) symlinkSync(join(root, part), join(copy, part));
    // its entry in the topology and its own folder: it has the rights of a consumer that says nothing of them
    renameSync(join(copy, "services", before), join(copy, "services", after));
    edit(join(copy, "blueprint/topology.ts"), `name: "${before}"`, `name: "${after}"`);
    edit(join(copy, "services", after, "handler.ts"), `consumerOf("${before}",`, `consumerOf("${after}",`);

    const changedLocal = await localWorld(copy, join(folder, "changed.json"));
    expect(changedLocal.queues).toHaveProperty(`shiplog-${after}`);
    expect(undone(changedLocal)).toEqual(local);

    const graph = await evaluate("production", { folder: copy, file: join(copy, "graph.json") });
    const changedAws = awsWorld(graph);
    expect(changedAws.rules).toHaveProperty(`shiplog-${after}`);
    expect(undone(changedAws)).toEqual(awsWorld(graphOf("production")));
    expect(undone(rightsByRole(graph))).toEqual(rightsByRole(graphOf("production")));
  });
});

const edit = (file: string, from: string, to: string): void => {
  const text = readFileSync(file, "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(file, text.replaceAll(from, to));
};
