import type { EventOf } from "../../domain/aggregates.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type Aggregates, following } from "./execute.ts";

export type Admitted = Recorded<Extract<EventOf<"environment">, { readonly type: "DeploymentAdmitted" }>>;

/**
 * What follows from an admission: its deployment begins. Whoever comes first does it, who admitted it or who hears of it:
 * the event is the cause, and a cause is decided once.
 */
export const queueAdmitted = async (aggregates: Pick<Aggregates, "deployment">, admitted: Admitted, actor: string): Promise<void> => {
  const { deploymentId, sequence, request } = admitted.body;
  await aggregates.deployment.execute(deploymentId, { type: "QueueDeployment", sequence, request }, following(admitted, actor));
};
