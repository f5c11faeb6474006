import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Development, startDevelopment } from "../../local/development.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";

let app: string;
const git = async (...given: string[]): Promise<string> => (await promisify(execFile)("git", ["-C", app, ...given])).stdout;

beforeEach(async () => {
  app = await mkdtemp(join(tmpdir(), "shiplog-app-"));
  await writeFixtureApp(app);
  await git("init", "--quiet");
  await git("add", "--all");
});
afterEach(() => rm(app, { recursive: true, force: true }));

const started = async <T>(use: (dev: Development) => Promise<T>): Promise<T> => {
  const dev = await startDevelopment({ tableDelayMs: 0, dataDir: join(app, ".shiplog"), appDir: app, variables: {}, log: () => undefined });
  try {
    return await use(dev);
  } finally {
    await dev.close();
  }
};

it("the app's git takes nothing of the data folder, whatever the app ignores", async () => {
  const before = await git("status", "--porcelain", "--untracked-files=all");
  await started(async () => {
    await git("add", "--all");
    expect(await git("status", "--porcelain", "--untracked-files=all")).toBe(before);
  });
  expect(await git("ls-files", ".shiplog")).toBe("");
});

it("a folder of an earlier release, without a key and in git's sight, opens and gets both", async () => {
  const data = join(app, ".shiplog");
  const token = await started(async (dev) => dev.token);
  for (const file of [".gitignore", "access-key.json"]) await rm(join(data, file));
  await started(async (dev) => {
    expect(dev.token).toBe(token);
    expect((await dev.aws.clients.dynamodb.send(new ListTablesCommand({}))).TableNames).toContain("shiplog-events");
  });
  expect(await git("status", "--porcelain", "--untracked-files=all", "--", ".shiplog")).toBe("");
});
