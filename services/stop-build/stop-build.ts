import type { Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import type { Aggregates } from "../../engine/log/execute.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "deployment">;
  readonly builds: { stop(id: string): Promise<void> };
};

/**
 * Stops the build of a deployment that is being cancelled. It appends nothing: the deployment is cancelled when its
 * build is seen stopped. A cancel may come before the build is known, so the build's start is looked at too.
 */
export const stopBuild =
  ({ aggregates, builds }: Ports) =>
  async (event: Recorded<Subscribed<"stop-build">>): Promise<void> => {
    const { state } = await aggregates.deployment.load(deploymentOf(event.stream));
    if (state.status === "cancelling" && state.buildId !== null) await builds.stop(state.buildId);
  };
