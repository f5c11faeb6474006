import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Line } from "./report.ts";

const SHIPLOG = join(import.meta.dirname, "../../cli/shiplog.ts");
const MANY = 50;

/** How long `shiplog dev` takes until commands reach it, and what it holds then: with one site, with a hundred environments, and again. */
export const dev = async (tell: (line: string) => void): Promise<readonly Line[]> => {
  const folder = await mkdtemp(join(tmpdir(), "bench-dev-"));
  try {
    await mkdir(join(folder, "app"));
    await writeFile(join(folder, "app/package.json"), "{}");
    const lines: Line[] = [];
    for (const [what, sites, data] of [
      ["one environment", 1, "one"],
      [`${MANY} sites × 2 environments`, MANY, "many"],
      [`${MANY} sites × 2 environments, again`, MANY, "many"],
    ] as const) {
      tell(what);
      const { seconds, megabytes } = await started(folder, sites, join(folder, data));
      lines.push({ bench: "dev", what: `${what}: until commands reach it`, value: seconds, unit: "s" });
      lines.push({ bench: "dev", what: `${what}: memory then`, value: megabytes, unit: "MB" });
    }
    return lines;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const started = async (folder: string, sites: number, data: string): Promise<{ seconds: number; megabytes: number }> => {
  const file = join(folder, `${sites}.json`);
  const environments = (sites === 1 ? ["production"] : ["production", "preview"]).map((name) => ({ name }));
  const declared = Array.from({ length: sites }, (_, n) => ({ name: `site-${n}`, source: "app", environments }));
  await writeFile(file, JSON.stringify({ sites: declared }));
  const began = performance.now();
  const child = spawn(process.execPath, [SHIPLOG, "dev", "--sites", file, "--data", data], { stdio: "ignore" });
  try {
    while (!existsSync(join(data, "connection.json"))) {
      if (child.exitCode !== null) throw new Error(`shiplog dev ended with ${child.exitCode}`);
      await sleep(10);
    }
    return { seconds: (performance.now() - began) / 1_000, megabytes: residentMegabytes(child) };
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
};

const residentMegabytes = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
