import { reconciledLine } from "../../blueprint/engine-functions.ts";
import { type CodeStorageSample, withSample } from "../../domain/projections/code-storage.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { isEnd } from "../../domain/projections/views.ts";
import type { BuildReport } from "../../engine/aws/builds.ts";
import { ageOf } from "../../engine/kit/age.ts";
import { reasonOf } from "../../engine/kit/consumer.ts";
import { hourlyOf, turnOf } from "./turn.ts";

const MINUTE = 60_000;

export type Ports = {
  mend(): Promise<readonly string[]>;
  active(): Promise<readonly DeploymentView[]>;
  deployment(id: string): Promise<DeploymentView | undefined>;
  reconcileDeployment(view: DeploymentView): Promise<void>;
  reconcileEnvironment(site: string, environment: string): Promise<void>;
  readonly sites: readonly { readonly site: string; readonly environment: string }[];
  recentBuilds(site: string, environment: string): Promise<readonly BuildReport[]>;
  stopBuild(id: string): Promise<void>;
  /** asks for an environment's sweep to go one step further, if it is time for that */
  sweep(site: string, environment: string): Promise<void>;
  /** bytes of all versions of all functions in the region, and how many there may be */
  codeStorage(): Promise<{ used: number; limit: number }>;
  codeStorageSamples(): Promise<readonly CodeStorageSample[]>;
  noteCodeStorage(samples: readonly CodeStorageSample[]): Promise<void>;
  /** when the message that waits is due that is due first; milliseconds since 1970 */
  firstDue(): Promise<number | undefined>;
  log(line: Readonly<Record<string, unknown>>): void;
  now(): number;
};

/**
 * On a timer: what no event will ever say. CodeBuild's events are best effort, messages can end in a dead-letter queue,
 * deadlines pass silently, people edit aliases. A fault in one part is named and does not keep the others from running;
 * it is thrown at the end, so that the failed run shows.
 */
export const reconcile = (ports: Ports) => async (): Promise<void> => {
  const faults: string[] = [];
  const part = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      faults.push(`${name}: ${reasonOf(error)}`);
    }
  };

  await part("mender", async () => {
    for (const stream of await ports.mend())
      ports.log({ level: "warn", message: "the relay had lost commits; they were sent again", stream });
  });
  let oldestStepMinutes = 0;
  await part("deployments", async () => {
    for (const view of await ports.active()) {
      // what is held waits for a person, for as long as that takes
      if (view.status !== "held") oldestStepMinutes = Math.max(oldestStepMinutes, ageOf(view.since, ports.now()) / MINUTE);
      await part(view.id, () => ports.reconcileDeployment(view));
    }
  });
  const places = turnOf(ports.sites, ports.now());
  for (const { site, environment } of places) await part(`${site}/${environment}`, () => ports.reconcileEnvironment(site, environment));
  for (const { site, environment } of places) await part(`builds of ${site}/${environment}`, () => stopOrphans(site, environment));
  for (const { site, environment } of hourlyOf(ports.sites, ports.now()))
    await part(`sweep of ${site}/${environment}`, () => ports.sweep(site, environment));
  await part("figures", async () => {
    const { used, limit } = await ports.codeStorage();
    const samples = withSample(await ports.codeStorageSamples(), { at: ports.now(), used, limit });
    if (samples !== undefined) await ports.noteCodeStorage(samples);
    const due = (await ports.firstDue()) ?? Number.POSITIVE_INFINITY;
    ports.log({
      level: "info",
      message: reconciledLine.message,
      [reconciledLine.oldestStepMinutes]: oldestStepMinutes,
      [reconciledLine.codeStoragePercent]: (100 * used) / limit,
      [reconciledLine.overdueMinutes]: Math.max(0, (ports.now() - due) / MINUTE),
    });
  });
  if (faults.length > 0) throw new Error(`${faults.length} parts could not be reconciled: ${faults.join("; ")}`);

  /** A build that runs for a deployment that has ended: nobody waits for it. */
  async function stopOrphans(site: string, environment: string): Promise<void> {
    for (const build of await ports.recentBuilds(site, environment)) {
      if (build.status !== "IN_PROGRESS" || build.deploymentId === null) continue;
      const view = await ports.deployment(build.deploymentId);
      if (view === undefined || !isEnd(view.status)) continue;
      ports.log({
        level: "warn",
        message: "a build ran for a deployment that has ended; it is stopped",
        build: build.id,
        deployment: build.deploymentId,
      });
      await ports.stopBuild(build.id);
    }
  }
};
