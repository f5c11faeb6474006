import type { ConsumerName } from "../../blueprint/topology.ts";
import { each } from "../../engine/kit/each.ts";
import type { Views } from "../../engine/views/views.ts";
import { MAX_WAIT_MS } from "../../engine/views/waiting-rows.ts";
import { feedMessage } from "../../engine/webhooks/feed-message.ts";

export type Ports = {
  readonly rows: Pick<Views, "dueBy" | "forgetWaiting" | "webhooks">;
  /** puts a message into a consumer's queue */
  send(consumer: ConsumerName, body: string): Promise<void>;
  now(): number;
};

/** Messages that are sent at once. */
const WIDTH = 10;

/**
 * On a timer: puts what waited for its time into its consumer's queue, and gives each subscription its turn. A message that is
 * sent twice, since this ended before it was forgotten, is what any queue may do.
 *
 * @throws Error that says how many could not be sent; the others were, and these wait for the next run
 */
export const wake =
  ({ rows, send, now }: Ports) =>
  async (): Promise<void> => {
    const faults: string[] = [];
    const fault = (what: string, error: unknown) => void faults.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    for await (const due of rows.dueBy(now(), now() + MAX_WAIT_MS))
      await each(due, WIDTH, async (one) => {
        try {
          await send(one.consumer as ConsumerName, one.body);
          await rows.forgetWaiting(one);
        } catch (error) {
          fault(`${one.consumer} ${one.key}`, error);
        }
      });
    await each(await subscribed(rows), WIDTH, async ({ id }) => {
      await send("feed", feedMessage(id, { manual: false })).catch((error: unknown) => fault(`feed ${id}`, error));
    });
    if (faults.length > 0)
      throw new Error(`${faults.length} messages that wait could not be sent, and wait for the next run; the first is ${faults[0]}`);
  };

/** Subscriptions that are not paused. */
const subscribed = async (rows: Pick<Views, "webhooks">) =>
  (await rows.webhooks()).filter(({ kind, disabled }) => kind === "subscription" && disabled === null);
