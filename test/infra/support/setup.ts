import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { evaluate, stages } from "./graph.ts";

/** Before the first test: SST's platform, from npm's cache where it can be, and the graph of each stage. */
export default async (): Promise<void> => {
  execFileSync(process.execPath, [join(import.meta.dirname, "../../../scripts/sst-install.ts")], { stdio: ["ignore", 2, 2] });
  for (const stage of stages) await evaluate(stage);
};
