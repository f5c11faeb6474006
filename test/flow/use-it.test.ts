import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { zipSource } from "../../engine/zip/archive.ts";
import { runCli, type Started, startCli } from "../cli/support/run-cli.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { treeDigest } from "../support/tree-digest.ts";
import { until } from "../support/until.ts";

/**
 * The README's "Use it", typed in the app's own folder: the data folder is inside of the app. Its build installs a package
 * into a temporary folder with a real npm, as OpenNext does for its image function.
 */
let folder: string;
let app: string;
let engine: Started | undefined;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "shiplog-use-it-")));
  app = join(folder, "shop");
  await writeFixtureApp(app);
  await mkdir(join(app, "dep"));
  await writeFile(join(app, "dep/package.json"), JSON.stringify({ name: "dep", version: "1.0.0" }));
  await writeFile(join(app, "package-lock.json"), JSON.stringify({ name: "fixture-app", lockfileVersion: 3, packages: {} }));
  await mkdir(join(app, "node_modules/next"), { recursive: true });
  await writeFile(join(app, "node_modules/next/package.json"), JSON.stringify({ name: "next", version: "16.0.0" }));
  const buildspec = (await readFile(join(app, "buildspec.yml"), "utf8")).replace(
    "      - node make-output.mjs\n",
    `      - (src=$PWD; cd "$(mktemp -d)" && npm install --offline --no-audit --no-fund --install-links "$src/dep" && test -e node_modules/dep/package.json)\n      - node make-output.mjs\n`,
  );
  expect(buildspec).toContain("npm install");
  await writeFile(join(app, "buildspec.yml"), buildspec);
});
afterAll(async () => {
  engine?.interrupt();
  await engine?.finished;
  await rm(folder, { recursive: true, force: true });
});

/** `shiplog <words>` typed in the app's folder; what it prints once it ended. */
const typed = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await runCli(words, { cwd: app });
  expect(code, err).toBe(0);
  return out;
};

it("changes not a byte of the app outside of the data folder, and nothing in that goes into a build", async () => {
  const data = join(app, ".shiplog");
  const before = await treeDigest(app, data);
  engine = startCli(["dev", "--app", "."], { cwd: app });
  await until("the engine to have started", () => existsSync(join(data, "connection.json")));
  expect(await typed("deploy", ".")).toContain("success");
  expect(await typed("status")).toContain("shop/production");
  expect(await treeDigest(app, data)).toEqual(before);
  engine.interrupt();
  await engine.finished;
  expect(await treeDigest(app, data)).toEqual(before);

  // whatever its name is
  await cp(data, join(app, "engine"), { recursive: true });
  await zipSource(app, join(folder, "source.zip"));
  const packed = (await readFile(join(folder, "source.zip"))).toString("latin1");
  expect(packed).toContain("make-output.mjs");
  expect(packed).not.toContain("engine/");
});
