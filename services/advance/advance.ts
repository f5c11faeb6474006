import type { Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { type Aggregates, following } from "../../engine/log/execute.ts";
import { queueAdmitted } from "../../engine/log/queue-admitted.ts";

export type Ports = { readonly aggregates: Aggregates; readonly clock: Pick<Clock, "now"> };

const ACTOR = "shiplog advance";

/** The process manager: tells deployments and environments of each other. It only gives commands. */
export const advance =
  ({ aggregates, clock }: Ports) =>
  async (event: Recorded<Subscribed<"advance">>): Promise<void> => {
    const because = (suffix = "") => following(event, ACTOR, suffix);
    const tell = (id: string, command: Parameters<Aggregates["deployment"]["execute"]>[1], suffix = "") =>
      aggregates.deployment.execute(id, command, because(suffix));

    switch (event.type) {
      case "DeploymentAdmitted": {
        const { deploymentId, sequence, previous } = event.body;
        await queueAdmitted(aggregates, event, ACTOR);
        if (previous !== null) await tell(previous, { type: "SupersedeDeployment", by: { sequence, deploymentId }, onlyQueued: true });
        return;
      }
      case "ChecksPassed": {
        const deploymentId = deploymentOf(event.stream);
        const { state } = await aggregates.deployment.load(deploymentId);
        if (state.request === null || state.status === "cancelled" || state.status === "failed") return;
        const { site, environment, requestedBy } = state.request;
        const { release } = event.body;
        const asked = { actor: requestedBy, at: new Date(clock.now()).toISOString() };
        const { refusal } = await aggregates.environment.execute(
          site,
          environment,
          { type: "RequestFlip", deploymentId, sequence: state.sequence, release, ...asked },
          because(),
        );
        if (refusal !== undefined) throw new Error(`${deploymentId} may not go live: ${refusal.because}`);
        return;
      }
      case "FlipHeld": {
        const { deploymentId, by, because: why } = event.body;
        await tell(deploymentId, { type: "HoldDeployment", by, ...(why !== undefined && { reason: why }) });
        return;
      }
      case "FlipSuperseded":
        if (event.body.reason === "deploy")
          await tell(event.body.deploymentId, { type: "SupersedeDeployment", by: { sequence: event.body.by }, onlyQueued: false });
        return;
      case "FlipFailed":
        if (event.body.flip === "deploy")
          await tell(event.body.deploymentId, { type: "FailDeployment", step: "flip", reason: event.body.reason });
        return;
      case "ReleaseWentLive":
        if (event.body.reason === "deploy")
          await tell(event.body.deploymentId, { type: "SucceedDeployment", sequence: event.body.sequence });
        return;
      case "DeploymentCancelled":
      case "DeploymentFailed": {
        const deploymentId = deploymentOf(event.stream);
        const { state } = await aggregates.deployment.load(deploymentId);
        if (state.request === null) return;
        const reason = `its deployment ended: ${state.status}`;
        await aggregates.environment.execute(
          state.request.site,
          state.request.environment,
          { type: "WithdrawFlip", deploymentId, reason },
          because("/withdraw"),
        );
        return;
      }
    }
  };
