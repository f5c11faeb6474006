import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleClient } from "../../scripts/bundle-client.ts";
import { type StubEngine, stubEngine } from "../cli/support/stub-engine.ts";

let folder: string;
let engine: StubEngine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-bundled-"));
  engine = await stubEngine();
  await bundleClient(join(import.meta.dirname, "../.."), folder, "@someone/small");
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

it("the small package names itself where it is too old for the engine", async () => {
  engine.state.version = "99.0.0";
  const { stderr } = await promisify(execFile)(process.execPath, [join(folder, "shiplog.js"), "list"], {
    env: { ...process.env, ...engine.env },
  });
  expect(stderr).toContain("Update the command:  npm i -D @someone/small@99.0.0");
});
