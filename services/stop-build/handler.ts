import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, builds, views } from "../../engine/wiring/parts.ts";
import { stopBuild } from "./stop-build.ts";

export const { wire, handler } = consumerOf("stop-build", { aggregates, builds, views }, ({ aggregates, builds, views, queues }) =>
  stopBuild({
    aggregates,
    builds,
    wakeStart: async (deploymentId) => {
      const waits = await views.waiting("start-build", deploymentId);
      if (waits === undefined) return;
      await queues.send("start-build", waits.body);
      await views.forgetWaiting(waits);
    },
  }),
);
