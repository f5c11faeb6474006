import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BatchGetBuildsCommand } from "@aws-sdk/client-codebuild";
import { startDevelopment } from "../../local/development.ts";
import { apiClient } from "../support/api-client.ts";
import { until } from "../support/until.ts";
import { median, sideBySide, stopwatch } from "./measure.ts";
import type { Line } from "./report.ts";
import { inFolder } from "./room.ts";

const APP = join(import.meta.dirname, "../../examples/next-app");
const ROUNDS = 5;
const BUILD_MS = 900_000;
const PHASES = ["DOWNLOAD_SOURCE", "INSTALL", "BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"] as const;

/** A one-line change of the example app, commit → live, against a bare `open-next build` in a folder that has built it before. */
export const build = (tell: (line: string) => void): Promise<readonly Line[]> =>
  inFolder(async (folder) => {
    const [app, warm] = [join(folder, "app"), join(folder, "warm")];
    for (const copy of [app, warm])
      await cp(APP, copy, { recursive: true, filter: (path) => !/node_modules|\.next|\.open-next/.test(path) });
    await sh(warm, "npm ci --no-audit --no-fund");
    const development = await startDevelopment({ dataDir: join(folder, "data"), appDir: app, variables: {}, log: () => undefined });
    try {
      const api = apiClient(development.apiUrl, development.token);
      const [{ site = "", environment = "" } = {}] = development.sites;
      const phases = new Map<string, number[]>([...PHASES, "build done → live"].map((name) => [name, []]));
      let change = 0;
      const { ours, theirs } = await sideBySide(
        {
          ours: async () => {
            let id = "";
            const ms = await stopwatch(async () => {
              id = (await api.deploy(site, environment, await api.upload(site, app))).id;
              await until(`${id} to be live`, async () => (await api.deployment(id)).status === "success", BUILD_MS);
            });
            const { buildId } = await api.deployment(id);
            const { builds = [] } = await development.aws.clients.codeBuild.send(new BatchGetBuildsCommand({ ids: [buildId ?? ""] }));
            for (const { phaseType = "", startTime, endTime } of builds[0]?.phases ?? [])
              phases.get(phaseType)?.push(Number(endTime) - Number(startTime));
            const events = [...(await api.events(`deployments/${id}`)), ...(await api.events(`environments/${site}/${environment}`))];
            const at = (type: string): number => Date.parse(events.findLast((event) => event.type === type)?.at ?? "");
            phases.get("build done → live")?.push(at("ReleaseWentLive") - at("BuildSucceeded"));
            return ms;
          },
          theirs: () => stopwatch(() => sh(warm, "npx --no-install open-next build")),
        },
        {
          rounds: ROUNDS,
          warmUp: 1,
          prepare: async () => {
            change += 1;
            for (const copy of [app, warm]) await edit(copy, change);
          },
        },
      );
      for (const [round, ms] of ours.entries()) tell(`commit → live ${ms.toFixed(0)} ms, open-next build ${theirs[round]?.toFixed(0)} ms`);
      const information = { bench: "build", unit: "ms" };
      const over = ours.map((ms, round) => ms - 1.15 * (theirs[round] ?? 0));
      return [
        {
          ...information,
          what: "commit → live − 1.15 × open-next build",
          value: median(over),
          range: [Math.min(...over), Math.max(...over)],
          target: { is: "at most", value: 4_000 },
        },
        { ...information, what: "  commit → live", value: median(ours) },
        { ...information, what: "  open-next build, warm", value: median(theirs) },
        ...[...phases].map(([name, took]) => ({ ...information, what: `  ${name.toLowerCase()}`, value: median(took.slice(-ROUNDS)) })),
      ];
    } finally {
      await development.close();
    }
  });

const edit = async (app: string, change: number): Promise<void> => {
  const page = join(app, "app/page.tsx");
  const text = (await readFile(page, "utf8")).replace(/<h1>[^<]*<\/h1>/, `<h1>Change ${change}</h1>`);
  await writeFile(page, text);
};

const sh = (cwd: string, command: string): Promise<unknown> =>
  promisify(execFile)("sh", ["-c", command], { cwd, env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" }, maxBuffer: 64 * 1024 ** 2 });
