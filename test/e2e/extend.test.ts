import { execFile } from "node:child_process";
import { type Dirent, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
type Block = { readonly recipe: string; readonly file: string; readonly before: string | null; readonly text: string };

/** The blocks of docs/extend.md, with where each goes. */
const blocks: readonly Block[] = readFileSync(join(root, "docs/extend.md"), "utf8")
  .split(/^## /m)
  .slice(1)
  .flatMap((part) => {
    const recipe = part.slice(0, part.indexOf("\n"));
    return [...part.matchAll(/^```ts (?:file=(\S+)|in=(\S+) before=(".*"))\n([\s\S]*?)^```$/gm)].map(
      ([, made, changed, before, text = ""]): Block => ({
        recipe,
        file: made ?? changed ?? "",
        before: before === undefined ? null : (JSON.parse(before) as string),
        text,
      }),
    );
  });
const filesOf = (recipe: string): string[] => [...new Set(blocks.filter((block) => block.recipe === recipe).map(({ file }) => file))];

/** Rooms and what belongs to all of them; nothing that was installed, evaluated or left by a run. */
const isSource = (entry: Dirent): boolean => !entry.name.startsWith(".") && !["node_modules", "examples"].includes(entry.name);

let tree: string;
beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), "shiplog-extend-"));
  for (const { name } of (await readdir(root, { withFileTypes: true })).filter(isSource))
    await cp(join(root, name), join(tree, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(tree, "node_modules"));
  for (const { file, before, text } of blocks) {
    const path = join(tree, file);
    await mkdir(dirname(path), { recursive: true });
    if (before === null) {
      await writeFile(path, text);
      continue;
    }
    const source = await readFile(path, "utf8");
    expect(source.split(before), `${file} has "${before}" once`).toHaveLength(2);
    await writeFile(
      path,
      source.replace(before, () => text + before),
    );
  }
});
afterAll(() => rm(tree, { recursive: true, force: true }));

const run = (args: readonly string[]): Promise<{ code: number; out: string }> =>
  new Promise((resolve) =>
    execFile(process.execPath, [...args], { cwd: tree, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: stdout + stderr }),
    ),
  );
/** A program of a few lines in the planted tree. */
const tried = async (program: string): Promise<unknown> => {
  await writeFile(join(tree, "tried.ts"), program);
  const { out } = await run(["tried.ts"]);
  return JSON.parse(out.slice(out.indexOf("RESULT") + 6));
};

describe("what docs/extend.md says", () => {
  it.each([
    ["A consumer", 2],
    ["A kind of event", 4],
    ["A read model", 2],
  ])("adds %s in %i files at most", (recipe, most) => {
    expect(filesOf(recipe).length).toBeGreaterThan(0);
    expect(filesOf(recipe).length).toBeLessThanOrEqual(most);
  });

  it("passes the type check, and the rules of the rooms", async () => {
    expect(await run(["node_modules/typescript/bin/tsc", "--noEmit", "-p", "."])).toEqual({ code: 0, out: "" });
    const rooms = await run([
      "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
      "--config",
      join(root, ".dependency-cruiser.cjs"),
      // where packages are linked to is nobody's room
      "--include-only",
      "^(domain|blueprint|engine|services)/",
      "--output-type",
      "err",
      "domain",
      "blueprint",
      "engine",
      "services",
    ]);
    expect(rooms.out).toContain("no dependency violations found");
  });

  it("makes a consumer that is given its events, typed, and refuses others", async () => {
    const result = await tried(`
      import { consumers, queueName } from "./blueprint/topology.ts";
      import { rightsOf } from "./blueprint/rights.ts";
      import { wire } from "./services/remind/handler.ts";
      const lines = [];
      const log = (line) => lines.push(line);
      const put = [];
      const redelivery = () => ({ deadLetter: async (_, reason) => put.push(reason), retryIn: async () => {}, isOutage: () => false, log });
      const event = (type, body) => ({ id: "a".repeat(22) + ".0", stream: "environment/web/production", version: 1, index: 0, type, v: 1, body, position: "0".repeat(15), at: "", actor: "", origin: "", cause: "", correlation: "" });
      const release = { id: "dep_01M8B3Z8C0FQ46APKHF5G3RW8W", manifest: "m", functions: [{ role: "server", name: "s", version: "1", codeSha256: "c", settings: "s" }] };
      const held = { sequence: 1, deploymentId: "dep_01M8B3Z8C0FQ46APKHF5G3RW8W", release, actor: "ada", by: "pin", replaces: null };
      const records = [event("FlipHeld", held), event("EnvironmentUnpinned", {})].map((detail, n) => ({ messageId: String(n), body: JSON.stringify({ detail }), attributes: { ApproximateReceiveCount: "1" } }));
      await wire({ log, queues: { redelivery } } as never)({ Records: records } as never);
      console.log("RESULT" + JSON.stringify({ lines: lines.filter(({ level }) => level === "info"), put, declared: consumers.some(({ name }) => name === "remind"), rights: rightsOf("remind").flatMap(({ actions }) => actions).includes("sqs:ReceiveMessage") && queueName("remind") }));
    `);
    expect(result).toEqual({
      lines: [{ level: "info", message: "a deployment is held", deployment: "dep_01M8B3Z8C0FQ46APKHF5G3RW8W", by: "pin" }],
      put: [expect.stringContaining("remind subscribes to no EnvironmentUnpinned")],
      declared: true,
      rights: "shiplog-remind",
    });
  });

  it("makes a kind of event that is read, folded and told", async () => {
    const result = await tried(`
      import { readAny } from "./domain/aggregates.ts";
      import { environment } from "./domain/environment/decider.ts";
      import { factsOf } from "./domain/wording.ts";
      const stored = { type: "EnvironmentNoted", v: 1, body: { text: "a sale until Monday" }, stream: "environment/web/production" };
      const event = readAny(stored as never);
      environment.evolve(environment.initial(), event as never);
      console.log("RESULT" + JSON.stringify(factsOf(event)));
    `);
    expect(result).toBe("a sale until Monday");
  });

  it("makes a read model beside the one that a stream feeds already: kept, rebuilt and verified", async () => {
    const result = await tried(`
      import { startReplayRoom } from "./test/support/replay-room.ts";
      import { longHistory } from "./test/support/long-history.ts";
      import { replay, verifyViews } from "./operator/replay/replay.ts";
      import { viewNames } from "./engine/views/read-models.ts";
      const room = await startReplayRoom();
      const commits = [...longHistory({ seed: 3, events: 200, sites: ["web"], environments: ["production"] })];
      await room.write(commits);
      const last = commits.findLast(({ stream }) => stream.startsWith("deployment/"));
      await room.project({ stream: last.stream, version: last.version });
      const kept = await room.views.rows(0).failureCounts.get(last.stream);
      const built = await replay(room.ports(), { views: ["failureCounts"], from: "table" });
      const { live } = await room.views.generations();
      const verified = await verifyViews(room.ports(), { views: viewNames, from: "table" });
      const streams = new Set(commits.map(({ stream }) => stream).filter((stream) => stream.startsWith("deployment/"))).size;
      await room.close();
      console.log("RESULT" + JSON.stringify({ kept: kept?.version === last.version, rows: built.rows === streams, live, wrong: verified.differences.filter(({ view }) => view === "failureCounts") }));
      process.exit(0);
    `);
    expect(result).toEqual({
      kept: true,
      rows: true,
      live: { deployments: 0, environments: 0, webhooks: 0, sessions: 0, failureCounts: 1 },
      wrong: [],
    });
  });
});
