import type { z } from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { PlannedRelease, PlannedRollback } from "../../client/contract.ts";
import { isPlan, rollbackPlan } from "../../domain/environment/rollback-plan.ts";
import type { EnvironmentView } from "../../domain/projections/views.ts";
import type { Look } from "./look.ts";
import { pastRelease } from "./past-release.ts";
import type { Ports } from "./ports.ts";

type Planned = z.input<typeof PlannedRollback>;

/** What a rollback would do, by the rules' own word; nothing is changed. `to`: the full id of a deployment. */
export const planOf =
  (ports: Pick<Ports, "aggregates" | "clock" | "read">, see: Pick<Look, "environment" | "deployment">) =>
  async (place: SiteConfig, to: string | undefined): Promise<Planned> => {
    const past = to === undefined ? undefined : await pastRelease(ports, place, to);
    const { state } = await ports.aggregates.environment.load(place.site, place.environment);
    const plan = rollbackPlan(state, to, past);
    if (!isPlan(plan)) return { plan: null, refusal: { code: plan.refused, message: plan.because } };

    const view = await see.environment(place);
    const release = async ({
      deploymentId,
      sequence,
    }: {
      deploymentId: string;
      sequence: number;
    }): Promise<z.input<typeof PlannedRelease>> => {
      const { commit, actor } = await see.deployment(deploymentId);
      return { deploymentId, sequence, commit, actor, live: timesOf(view, deploymentId, ports.clock.now()) };
    };
    const [from, target] = await Promise.all([release(plan.from), release(plan.to)]);
    const { already, skipped, caution } = plan;
    return {
      plan: { from: { ...from, goingLive: plan.from.goingLive }, to: target, already, skipped: [...skipped], caution },
      refusal: null,
    };
  };

/** How long a release was live, all together; null where its row does not remember that it was. */
function timesOf({ live, history }: EnvironmentView, deploymentId: string, now: number): z.input<typeof PlannedRelease>["live"] {
  const spans = [live, ...history].flatMap((entry, index, all) => {
    if (entry === null || entry.deploymentId !== deploymentId) return [];
    const until = index === 0 ? null : (all[index - 1]?.at ?? null);
    return [{ since: entry.at, until, ms: Math.max(0, (until === null ? now : Date.parse(until)) - Date.parse(entry.at)) }];
  });
  const [newest] = spans;
  return newest === undefined ? null : { ...newest, ms: spans.reduce((sum, { ms }) => sum + ms, 0) };
}
