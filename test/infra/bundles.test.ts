import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { engineFunctions } from "../../infra/engine-functions.ts";
import { root } from "./support/bundle-config.ts";
import { graphOf } from "./support/graph.ts";

/** A cold start pays for this before the first message is looked at. */
const MOST_MS = 150;
/** What loading this takes on two quiet cores; where it takes longer, the machine is busy, and everything takes as much longer. */
const REFERENCE = join(root, "node_modules/electrodb/index.js");
const REFERENCE_MS = 60;
/** The least of these counts: other work on the machine can only add. */
const TRIES = 12;

const TIMED = "const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t);";
const importMs = async (file: string): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", TIMED, file]);
  return Number(stdout);
};

/** Of both in turn, so that what the machine does meanwhile meets both. */
const leastImportMs = async (file: string): Promise<{ ms: number; limit: number }> => {
  let ms = Number.POSITIVE_INFINITY;
  let reference = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && (tries < 3 || ms >= MOST_MS); tries++) {
    ms = Math.min(ms, await importMs(file));
    reference = Math.min(reference, await importMs(REFERENCE));
  }
  return { ms, limit: MOST_MS * Math.max(1, reference / REFERENCE_MS) };
};

it("every function of the engine is bundled, small enough, and quick to load", async () => {
  const { builds } = graphOf("production");
  expect(builds.map(({ handler }) => handler).sort()).toEqual(engineFunctions.map(({ name }) => `services/${name}/handler.handler`).sort());
  const lines: string[] = [];
  const slow: string[] = [];
  for (const { handler, bytes, out } of [...builds].sort((a, b) => b.bytes - a.bytes)) {
    const { ms, limit } = await leastImportMs(join(out, "handler.mjs"));
    lines.push(`${handler.split("/")[1]?.padEnd(16)} ${(bytes / 1_000).toFixed(0).padStart(5)} kB  ${ms.toFixed(0).padStart(4)} ms`);
    if (ms >= limit) slow.push(`${handler} takes ${ms.toFixed(0)} ms to load, and may take ${limit.toFixed(0)} on this machine now`);
  }
  console.log(lines.join("\n"));
  expect(slow).toEqual([]);
});
