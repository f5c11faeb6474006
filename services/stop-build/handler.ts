import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, builds, rows } from "../../engine/wiring/parts.ts";
import { stopBuild } from "./stop-build.ts";

export const { wire, handler } = consumerOf("stop-build", { aggregates, builds, rows }, ({ aggregates, builds, rows, queues }) =>
  stopBuild({
    aggregates,
    builds,
    wakeStart: async (deploymentId) => {
      const waits = await rows.waiting("start-build", deploymentId);
      if (waits === undefined) return;
      await queues.send("start-build", waits.body);
      await rows.forgetWaiting(waits);
    },
  }),
);
