#!/usr/bin/env node
import { parseArgs } from "node:util";
import { build } from "./build.ts";
import { dashboard } from "./dashboard.ts";
import { dev } from "./dev.ts";
import { edge } from "./edge.ts";
import { fold } from "./fold.ts";
import { history } from "./history.ts";
import { log } from "./log.ts";
import { peers } from "./peers.ts";
import { publicFiles } from "./public-files.ts";
import { reconciler } from "./reconciler.ts";
import { release } from "./release.ts";
import { replay } from "./replay.ts";
import { type Line, reached, table } from "./report.ts";
import { append, load } from "./store.ts";
import { sweeping } from "./sweep.ts";
import { traffic } from "./traffic.ts";
import { upload } from "./upload.ts";
import { work } from "./work.ts";

/**
 * Ratios against what they stand on, measured side by side in one run on the same local endpoint.
 * Exit code 1 where a target is missed. `npm run bench -- [--json] [--only append|load|fold|history|log|reconciler|sweep|work|upload|release|build|traffic|replay|dev|dashboard|edge|public|peers]`
 */
const benches: Readonly<Record<string, (tell: (line: string) => void) => Promise<readonly Line[]>>> = {
  append,
  load,
  fold,
  history,
  log,
  reconciler,
  sweep: sweeping,
  work,
  upload,
  release,
  build,
  traffic,
  replay,
  dev,
  dashboard,
  edge,
  public: publicFiles,
  peers,
};

const { values } = parseArgs({ options: { json: { type: "boolean", default: false }, only: { type: "string" } } });
if (values.only !== undefined && benches[values.only] === undefined) {
  console.error(`There is no bench "${values.only}". Known: ${Object.keys(benches).join(", ")}.`);
  process.exit(2);
}
const lines: Line[] = [];
for (const [name, run] of Object.entries(benches)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.error(`${name} …`);
  lines.push(...(await run((line) => console.error(`  ${line}`))));
}
console.log(values.json ? JSON.stringify({ lines: lines.map((line) => ({ ...line, reached: reached(line) })) }) : table(lines));
process.exitCode = lines.every(reached) ? 0 : 1;
