import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { engineFunctions } from "../../infra/engine-functions.ts";
import { graphOf } from "./support/graph.ts";

/** A cold start pays for this before the first message is looked at. */
const MOST_MS = 150;
/** The least of these counts: other work on the machine can only add. */
const TRIES = 25;

const TIMED = "const t = performance.now(); await import(process.argv[1]); console.log(performance.now() - t);";
const importMs = async (file: string): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", TIMED, file]);
  return Number(stdout);
};

const leastImportMs = async (file: string): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && (tries < 3 || least >= MOST_MS); tries++) least = Math.min(least, await importMs(file));
  return least;
};

it("every function of the engine is bundled, small enough, and quick to load", async () => {
  const { builds } = graphOf("production");
  expect(builds.map(({ handler }) => handler).sort()).toEqual(engineFunctions.map(({ name }) => `services/${name}/handler.handler`).sort());
  const lines: string[] = [];
  const slow: string[] = [];
  for (const { handler, bytes, out } of [...builds].sort((a, b) => b.bytes - a.bytes)) {
    const ms = await leastImportMs(join(out, "handler.mjs"));
    lines.push(`${handler.split("/")[1]?.padEnd(16)} ${(bytes / 1_000).toFixed(0).padStart(5)} kB  ${ms.toFixed(0).padStart(4)} ms`);
    if (ms >= MOST_MS) slow.push(`${handler} takes ${ms.toFixed(0)} ms to load, and may take ${MOST_MS}`);
  }
  console.log(lines.join("\n"));
  expect(slow).toEqual([]);
});
