import { expect, it } from "vitest";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { type Ports, reconcile } from "../../services/reconcile/reconcile.ts";
import { hourlyOf } from "../../services/reconcile/turn.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const active = (status: DeploymentView["status"], minutesAgo: number) =>
  ({ id: `dep_${status}`, status, since: new Date(NOW - minutesAgo * 60_000).toISOString() }) as DeploymentView;

const run = async (change: Partial<Ports>): Promise<{ lines: object[]; failed: string }> => {
  const lines: object[] = [];
  const ports: Ports = {
    mend: async () => [],
    active: async () => [],
    deployment: async () => undefined,
    reconcileDeployment: async () => undefined,
    reconcileEnvironment: async () => undefined,
    sites: [],
    recentBuilds: async () => [],
    stopBuild: async () => undefined,
    sweep: async () => undefined,
    codeStorage: async () => ({ used: 30, limit: 40 }),
    codeStorageSamples: async () => [],
    noteCodeStorage: async () => undefined,
    firstDue: async () => undefined,
    log: (line) => lines.push(line),
    now: () => NOW,
    ...change,
  };
  const failed = await reconcile(ports)().then(
    () => "",
    (error: Error) => error.message,
  );
  return { lines, failed };
};

it("says after each run how long the slowest deployment has not gone on, and how full the code storage is", async () => {
  const { lines } = await run({ active: async () => [active("building", 7), active("queued", 2)] });
  expect(lines).toEqual([{ level: "info", message: "reconciled", oldestStepMinutes: 7, codeStoragePercent: 75, overdueMinutes: 0 }]);
});

it("notes how full the code storage is, not more often than twice a day", async () => {
  const noted: unknown[] = [];
  const noteCodeStorage = async (samples: unknown) => void noted.push(samples);
  const before = { at: NOW - 13 * 3_600_000, used: 29, limit: 40 };
  await run({ codeStorageSamples: async () => [before], noteCodeStorage });
  expect(noted).toEqual([[before, { at: NOW, used: 30, limit: 40 }]]);
  await run({ codeStorageSamples: async () => [{ ...before, at: NOW - 3_600_000 }], noteCodeStorage });
  expect(noted).toHaveLength(1);
});

it("asks for the sweep of each environment once an hour, of many at different times, and misses none where a timer is late", async () => {
  const of = (sites: number, everyMs: number): number[] => {
    const places = Array.from({ length: sites }, (_, n) => n);
    const asked = places.map(() => 0);
    for (let at = NOW; at < NOW + 24 * 3_600_000; at += everyMs) for (const n of hourlyOf(places, at)) asked[n] = (asked[n] ?? 0) + 1;
    return asked;
  };
  for (const [sites, everyMs] of [
    [1, 120_000],
    [3, 121_000],
    [100, 120_000],
    [250, 120_000],
  ] as const) {
    const asked = of(sites, everyMs);
    expect([Math.min(...asked) >= 23, Math.max(...asked) <= 49], `${sites} every ${everyMs}`).toEqual([true, true]);
  }
  const atOnce = Math.max(...Array.from({ length: 30 }, (_, run) => hourlyOf([...Array(100).keys()], NOW + run * 120_000).length));
  expect(atOnce).toBeLessThan(10);
});

it("asks for the sweep of those whose hour has begun", async () => {
  const asked: string[] = [];
  const sweep = async (site: string, environment: string) => void asked.push(`${site}/${environment}`);
  const sites = [{ site: "web", environment: "production" }];
  await run({ sites, sweep });
  await run({ sites, sweep, now: () => NOW + 30 * 60_000 });
  expect(asked).toEqual(["web/production"]);
  expect((await run({ sites, sweep: () => Promise.reject(new Error("the queue is gone")) })).failed).toContain(
    "sweep of web/production: the queue is gone",
  );
});

it("says how late what waits for its time is: nobody else notices that nothing brings it back", async () => {
  const overdue = async (due: number) => (await run({ firstDue: async () => due })).lines;
  expect(await overdue(NOW - 12 * 60_000)).toMatchObject([{ overdueMinutes: 12 }]);
  expect(await overdue(NOW + 60_000)).toMatchObject([{ overdueMinutes: 0 }]);
});

it("does not count what a person holds back", async () => {
  const { lines } = await run({ active: async () => [active("held", 6_000)] });
  expect(lines).toMatchObject([{ oldestStepMinutes: 0 }]);
});

it("says its figures also where a part failed, and names the part", async () => {
  const { lines, failed } = await run({
    active: async () => [active("building", 90)],
    reconcileDeployment: () => Promise.reject(new Error("throttled")),
  });
  expect(lines).toMatchObject([{ oldestStepMinutes: 90 }]);
  expect(failed).toBe("1 parts could not be reconciled: dep_building: throttled");
});

it("stops the builds that run for deployments that have ended, in each environment, and leaves all others alone", async () => {
  const build = (id: string, status = "IN_PROGRESS", deploymentId: string | null = `dep_${id}`): BuildReport =>
    ({ id, status, deploymentId }) as BuildReport;
  const stopped: string[] = [];
  const { lines, failed } = await run({
    sites: [
      { site: "web", environment: "production" },
      { site: "web", environment: "preview" },
    ],
    recentBuilds: async (_, environment) =>
      environment === "preview"
        ? [build("stray")]
        : [build("orphan"), build("building"), build("over", "SUCCEEDED"), build("foreign", "IN_PROGRESS", null)],
    deployment: async (id) => active(id === "dep_building" ? "building" : "failed", 1),
    stopBuild: async (id) => void stopped.push(id),
  });
  expect([stopped, failed]).toEqual([["orphan", "stray"], ""]);
  expect(lines[0]).toMatchObject({ level: "warn", build: "orphan", deployment: "dep_orphan" });
});

it("looks at all of a hundred environments in each run, and of more at each once in as many runs as it takes", async () => {
  const sites = (count: number) => Array.from({ length: count }, (_, n) => ({ site: `site-${n}`, environment: "production" }));
  const looked = async (count: number, minute: number): Promise<string[]> => {
    const seen: string[] = [];
    await run({ sites: sites(count), reconcileEnvironment: async (site) => void seen.push(site), now: () => minute * 60_000 });
    return seen;
  };
  expect((await looked(100, 7)).length).toBe(100);
  const runs = [await looked(300, 8), await looked(300, 10), await looked(300, 12)];
  expect(runs.map(({ length }) => length)).toEqual([100, 100, 100]);
  expect(new Set(runs.flat()).size).toBe(300);
  expect(await looked(300, 14)).toEqual(runs[0]);
});
