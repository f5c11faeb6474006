import { parentPort } from "node:worker_threads";
import { type Batch, runHere } from "./batch.ts";

/** One process of many: it gets a batch of seeds and answers with their figures. */
parentPort?.on("message", (batch: Batch) => {
  runHere(batch).then(
    (figures) => parentPort?.postMessage(figures),
    // an error in here is the simulation's own
    (error: unknown) =>
      queueMicrotask(() => {
        throw error;
      }),
  );
});
