import type { Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import type { Aggregates } from "../../engine/log/execute.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "deployment">;
  readonly builds: { stop(id: string): Promise<void> };
  /** hands what waits for room to `start-build` now; nothing where nothing waits */
  wakeStart(deploymentId: string): Promise<void>;
};

/**
 * Stops the build of a deployment that is being cancelled. It appends nothing: the deployment is cancelled when its
 * build is seen stopped. A cancel may come before the build is known, so the build's start is looked at too. Where the
 * build waits for room, `start-build` is the one that knows whether there is one.
 */
export const stopBuild =
  ({ aggregates, builds, wakeStart }: Ports) =>
  async (event: Recorded<Subscribed<"stop-build">>): Promise<void> => {
    const id = deploymentOf(event.stream);
    const { state } = await aggregates.deployment.load(id);
    if (state.status !== "cancelling") return;
    await (state.buildId === null ? wakeStart(id) : builds.stop(state.buildId));
  };
