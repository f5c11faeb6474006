import type { ConsumerName } from "../../blueprint/topology.ts";
import { each } from "../../engine/kit/each.ts";
import type { Views } from "../../engine/views/views.ts";
import { MAX_WAIT_MS } from "../../engine/views/waiting-rows.ts";

export type Ports = {
  readonly rows: Pick<Views, "dueBy" | "forgetWaiting">;
  /** puts a message into a consumer's queue */
  send(consumer: ConsumerName, body: string): Promise<void>;
  now(): number;
};

/** Messages that are sent at once. */
const WIDTH = 10;

/**
 * On a timer: puts what waited for its time into its consumer's queue. A message that is sent twice, since this ended before
 * it was forgotten, is what any queue may do.
 *
 * @throws Error that says how many could not be sent; the others were, and these wait for the next run
 */
export const wake =
  ({ rows, send, now }: Ports) =>
  async (): Promise<void> => {
    const faults: string[] = [];
    for await (const due of rows.dueBy(now(), now() + MAX_WAIT_MS))
      await each(due, WIDTH, async (one) => {
        try {
          await send(one.consumer as ConsumerName, one.body);
          await rows.forgetWaiting(one);
        } catch (error) {
          faults.push(`${one.consumer} ${one.key}: ${error instanceof Error ? error.message : String(error)}`);
        }
      });
    if (faults.length > 0)
      throw new Error(`${faults.length} messages that wait could not be sent, and wait for the next run; the first is ${faults[0]}`);
  };
