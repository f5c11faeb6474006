import { environment as decider } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { wire } from "../../services/reconcile/handler.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { environmentHistory } from "./histories.ts";
import { settle } from "./long-log.ts";
import { type Cost, counting, writeCommits } from "./long-past.ts";
import type { Line } from "./report.ts";
import { withStore } from "./room.ts";

const COMMITS = 7;
/** A second run finds what the first has noted; each has its own turn of the environments. */
const RUNS = 3;
const RUN_MS = 120_000;

/**
 * What one run of the reconciler reads where nothing is to be done, by how much has happened and by how many environments there are.
 * The table is real; Lambda, CodeBuild and the bus answer at once, and their calls are not counted.
 */
export const reconciler = async (): Promise<readonly Line[]> => {
  const byPast = [
    { environments: 1, deployments: 10 },
    { environments: 1, deployments: 100 },
    { environments: 1, deployments: 1_000 },
    { environments: 1, deployments: 10_000 },
  ];
  const byCount = [
    { environments: 100, deployments: 8 },
    { environments: 1_000, deployments: 8 },
  ];
  const lines: Line[] = [];
  const units: number[] = [];
  for (const size of [...byPast, ...byCount]) {
    const { cold, warm } = await atRest(size);
    const { environments, deployments } = size;
    const of = `${environments.toLocaleString("en")} environments, ${deployments.toLocaleString("en")} deployments each`;
    lines.push(line(`the first run of a process, ${of}`, cold), line(`one that follows, ${of}`, warm));
    if (environments === 1) units.push(warm.units);
  }
  return [
    ...lines,
    {
      bench: "reconciler",
      what: "read units of a run at rest, 10,000 ÷ 10 deployments",
      value: (units.at(-1) ?? 0) / (units[0] ?? 1),
      unit: "×",
      target: { is: "at most", value: 1.1 },
    },
  ];
};

const line = (what: string, { ms, units, requests }: Cost): Line => ({
  bench: "reconciler",
  what,
  value: ms,
  unit: "ms",
  note: `${units.toLocaleString("en")} read units, ${requests} requests`,
});

const atRest = ({ environments, deployments }: { environments: number; deployments: number }): Promise<{ cold: Cost; warm: Cost }> =>
  withStore(async ({ clients, table }) => {
    const sites = Array.from({ length: environments }, (_, n) => siteConfigOf(`site-${n}`, "production"));
    const config = { ...localNames, sites, tokens: {} };
    let now = Date.now();
    const clock = { ...systemClock, now: () => now };
    const whole = engine(config, clients, clock, () => undefined);
    // at rest: nothing is under way at its end
    const events = environmentHistory(deployments * COMMITS);
    events.splice(events.findLastIndex(({ type }) => type === "ReleaseWentLive") + 1);
    const state = fold(decider, events.map(readEnvironmentEvent));
    for (const { site } of sites) {
      await writeCommits(clients.dynamodb, table, environmentStream(site, "production"), undefined, events);
      await settle(whole, site, "production");
    }
    const begin = () => wire({ ...engine(config, clients, clock, () => undefined), ...around(state) });
    const counted = counting(clients.dynamodb);
    const runs = async (run: ReturnType<typeof wire>, times: number): Promise<void> => {
      for (let n = 0; n < times; n++) {
        now += RUN_MS;
        await run({});
      }
    };
    const turns = Math.ceil(environments / 100);
    // the mender looks at what was written within the last hour, and nothing was
    now += 2 * 3_600_000;
    // what is done once and noted for all that come later
    await runs(begin(), turns);
    const process = begin();
    const cold = await counted(1, () => runs(process, 1));
    await runs(process, turns - 1);
    return { cold, warm: await counted(RUNS, () => runs(process, 1)) };
  });

/** What is asked of AWS beside the table: every alias is where the log has put it. */
const around = ({ aliases }: Environment) =>
  ({
    functions: {
      alias: async (fn: string) => {
        const { version, sequence, deploymentId } = aliases.get(fn) ?? { version: "1", sequence: 0, deploymentId: "" };
        return { version, description: `seq=${sequence} dep=${deploymentId}`, revisionId: "r" };
      },
      codeStorage: async () => ({ used: 0, limit: 1 }),
    },
    builds: { get: async () => [], find: async () => undefined, recent: async () => [], stop: async () => undefined },
    bus: { publish: async () => undefined },
  }) as never as object;
