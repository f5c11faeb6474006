import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { siteResources } from "../../blueprint/site-resources.ts";
import { watchAliases } from "../support/alias-watch.ts";
import { type PartsWorld, startPartsWorld } from "../support/parts-world.ts";
import { until } from "../support/until.ts";
import { type Deployed, heapUsed, latencies, type Percentiles, tenthsOf } from "./figures.ts";
import { type Sweeping, sizeOf, sweeping } from "./sweeping.ts";

/**
 * `npm run soak -- --minutes M` keeps the engine busy on this machine: more and more deployments at once over many
 * environments, many on one, and all consumers stopped for a while. Prints how long it takes from the end of a build to
 * live, where that begins to climb, and how long it takes to catch up; meanwhile what is old is swept. Fails where anything was
 * lost or went backwards.
 */
const { values } = parseArgs({ options: { minutes: { type: "string", default: "3" }, json: { type: "boolean", default: false } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes is "${values.minutes}": a number above 0 is needed`);
const end = Date.now() + minutes * 60_000;
const say = (line: string): void => console.error(line);

const environments = Array.from({ length: 16 }, (_, n) => `e${n + 1}`);
const functions = environments.flatMap((name) => Object.values(siteResources("web", name).functions));
const STEPS = [1, 2, 4, 8, 16];
/** The knee: where the 95th percentile is so many times that of the first step. */
const KNEE = 3;

const site = { skewHours: 0, keep: { releases: 2, days: 0, window: 0, wait: 0 } };
const world = await startPartsWorld({ environments, site });
const watch = watchAliases(world.aws, functions);
const asked: string[] = [];
const heap: number[] = [];
const files: number[] = [];
/** what is kept for ever, and what is made of it */
const tables: number[] = [];
let sweeps: Sweeping | undefined;
try {
  await world.start();
  const source = await world.api.upload("web", `${world.folder}/app`);
  const deploy = async (environment: string): Promise<string> => {
    const { id } = await world.api.deploy("web", environment, source);
    asked.push(id);
    return id;
  };
  await settled(world, [await deploy("e1")]); // what is started for the first time is not counted
  sweeps = sweeping(world, environments, async () => {
    heap.push(heapUsed());
    const own = await sizeOf(`${world.folder}/data/dynamodb`);
    tables.push(own);
    files.push((await sizeOf(`${world.folder}/data`)) - own);
  });

  const ramp: { atOnce: number; deployments: number; figures: Percentiles }[] = [];
  for (const atOnce of STEPS) {
    const until = Math.min(end, Date.now() + (minutes * 60_000 * 0.6) / STEPS.length);
    const done: Deployed[] = [];
    // each keeps one deployment going in an environment of its own
    await Promise.all(
      environments.slice(0, atOnce).map(async (environment) => {
        do done.push(...(await settled(world, [await deploy(environment)])));
        while (Date.now() < until);
      }),
    );
    ramp.push({ atOnce, deployments: done.length, figures: latencies(done) });
    say(`${atOnce} at once: ${show(latencies(done))}, ${done.length} deployments`);
  }

  const many = await Promise.all(Array.from({ length: 20 }, () => deploy("e1")));
  const ofOne = await settled(world, many);
  const { live } = await world.api.environment("web", "e1");
  const newest = ofOne.reduce((a, b) => (a.sequence > b.sequence ? a : b));
  say(`20 on one environment: ${ofOne.filter(({ status }) => status === "success").length} went live, the others were superseded`);

  await world.stop();
  const stoppedAt = Date.now();
  const waiting = await Promise.all(environments.map(deploy));
  await sleep(Math.min(15_000, minutes * 6_000));
  const stopped = Date.now() - stoppedAt;
  const startedAt = Date.now();
  await world.start();
  await settled(world, waiting);
  const recovery = Date.now() - startedAt;
  say(
    `all consumers stopped for ${(stopped / 1000).toFixed(0)} s: ${waiting.length} deployments were done ${(recovery / 1000).toFixed(1)} s later`,
  );

  const swept = await sweeps.stop();
  const all = await Promise.all(asked.map((id) => world.api.deployment(id)));
  const lost = all.filter(({ status }) => status !== "success" && status !== "superseded");
  const backwards = Object.entries(watch.stop()).filter(([, seen]) => seen.some((sequence, n) => sequence < (seen[n - 1] ?? 0)));
  const knee = ramp.find(({ figures }) => figures.p95 > KNEE * (ramp[0]?.figures.p95 ?? 0))?.atOnce ?? null;
  const report = {
    minutes,
    deployments: asked.length,
    ramp,
    knee,
    recovery: { stoppedMs: stopped, deployments: waiting.length, ms: recovery },
    heap: tenthsOf(heap),
    files: tenthsOf(files),
    tables: tenthsOf(tables),
    swept,
    lost: lost.map(({ id, status, reason }) => ({ id, status, reason })),
    backwards: backwards.map(([name]) => name),
    newestIsLive: live?.deploymentId === newest.id,
  };
  if (values.json) console.log(JSON.stringify(report, null, 2));
  else {
    console.log(`deployments   ${asked.length} in ${minutes} minutes`);
    for (const { atOnce, deployments, figures } of ramp)
      console.log(`${String(atOnce).padStart(3)} at once   build done → live: ${show(figures)}   (${deployments})`);
    console.log(`knee          ${knee === null ? `none up to ${STEPS.at(-1)} at once` : `${knee} at once`}`);
    console.log(
      `recovery      ${waiting.length} deployments in ${(recovery / 1000).toFixed(1)} s, after all consumers had stopped for ${(stopped / 1000).toFixed(0)} s`,
    );
    console.log(`memory        ${megabytes(report.heap)}`);
    console.log(`tables        ${megabytes(report.tables)}`);
    console.log(`other files   ${megabytes(report.files)}; ${swept.releases} releases swept, ${(swept.bytes / 1e6).toFixed(0)} MB`);
    console.log(`lost          ${lost.length}`);
    console.log(`backwards     ${backwards.length}`);
  }
  if (lost.length > 0 || backwards.length > 0 || !report.newestIsLive) process.exitCode = 1;
} finally {
  await sweeps?.stop();
  await world.close();
}

/** Waits until each has ended, and answers how each went. */
async function settled({ api }: PartsWorld, ids: readonly string[]): Promise<Deployed[]> {
  return Promise.all(
    ids.map((id) =>
      until(
        `${id} to end`,
        async () => {
          const { status, sequence, builtAt, endedAt } = await api.deployment(id);
          return ["success", "failed", "cancelled", "superseded"].includes(status) && { id, status, sequence, builtAt, endedAt };
        },
        600_000,
      ),
    ),
  );
}

/** What was used in each tenth of the time: it levels off where the last are no more than those before. */
function megabytes(tenths: readonly number[]): string {
  return `${tenths.map((mb) => mb.toFixed(0)).join(" ")} MB, in each tenth of the time`;
}

function show({ p50, p95, p99 }: Percentiles): string {
  return `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`;
}
