import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { engineFunctions } from "../../blueprint/engine-functions.ts";
import { checks } from "./support/checks.ts";
import { graphOf } from "./support/graph.ts";

const LOADED = "const { handler } = await import(process.argv[1]); console.log(typeof handler);";
/** What a bundle exports as its handler, in a process of its own. */
const handlerOf = async (file: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", LOADED, file]);
  return stdout.trim();
};

it("every function of the engine is bundled, loads, and is small: a cold start reads and compiles all of it before the first message", async () => {
  const graph = graphOf("production");
  expect(graph.builds.map(({ handler }) => handler).sort()).toEqual(
    engineFunctions.map(({ name }) => `services/${name}/handler.handler`).sort(),
  );
  const sizes = [...graph.builds].sort((a, b) => b.bytes - a.bytes);
  console.log(
    sizes.map(({ handler, bytes }) => `${handler.split("/")[1]?.padEnd(16)} ${(bytes / 1_000).toFixed(0).padStart(5)} kB`).join("\n"),
  );
  for (const { handler, out } of sizes) expect(await handlerOf(join(out, "handler.mjs")), handler).toBe("function");
  expect(checks.handlers(graph)).toEqual([]);
});
