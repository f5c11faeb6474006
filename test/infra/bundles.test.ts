import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { engineFunctions } from "../../blueprint/engine-functions.ts";
import { graphOf } from "./support/graph.ts";

/** A cold start reads and compiles all of it before the first message is looked at: a megabyte takes about 100 ms. */
const MAX_BYTES = 1_600_000;

const TIMED = "const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t);";
const importMs = async (file: string): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", TIMED, file]);
  return Number(stdout);
};

it("every function of the engine is bundled, loads, and is small enough to load quickly", async () => {
  const { builds } = graphOf("production");
  expect(builds.map(({ handler }) => handler).sort()).toEqual(engineFunctions.map(({ name }) => `services/${name}/handler.handler`).sort());
  const lines: string[] = [];
  for (const { handler, bytes, out } of [...builds].sort((a, b) => b.bytes - a.bytes)) {
    // told, not asserted: it is as much about the machine as about the bundle
    const ms = await importMs(join(out, "handler.mjs"));
    lines.push(`${handler.split("/")[1]?.padEnd(16)} ${(bytes / 1_000).toFixed(0).padStart(5)} kB  ${ms.toFixed(0).padStart(4)} ms`);
  }
  console.log(lines.join("\n"));
  expect(builds.filter(({ bytes }) => bytes > MAX_BYTES).map(({ handler, bytes }) => `${handler}: ${bytes} bytes`)).toEqual([]);
});
