import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { Clock } from "../kit/clock.ts";

export type Bus = ReturnType<typeof eventBus>;

const MAX_ENTRIES = 10;
const TRIES = 4;

/** The engine's bus. PutEvents succeeds in part: every entry is looked at, and those that failed are put again. */
export const eventBus = (client: EventBridgeClient, name: string, clock: Clock) => ({
  /** Resolves when every event is on the bus; throws naming those that are not, after four tries. */
  publish: async (events: readonly Recorded[]): Promise<void> => {
    for (let start = 0; start < events.length; start += MAX_ENTRIES) await put(events.slice(start, start + MAX_ENTRIES));

    async function put(batch: readonly Recorded[]): Promise<void> {
      let left = batch;
      for (let tries = 1; left.length > 0; tries++) {
        const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: left.map((event) => entryOf(name, event)) }));
        const failed = left.filter((_, index) => Entries[index]?.EventId === undefined);
        if (failed.length > 0 && tries === TRIES) {
          const codes = [...new Set(Entries.flatMap((entry) => entry.ErrorCode ?? []))].join(", ");
          throw new Error(
            `${failed.length} of ${batch.length} events did not reach the bus (${codes}); the first is ${failed[0]?.id} of ${failed[0]?.stream}`,
          );
        }
        if (failed.length > 0) await clock.sleep(50 * 2 ** tries * (1 + clock.random()));
        left = failed;
      }
    }
  },
});

const entryOf = (bus: string, event: Recorded): PutEventsRequestEntry => ({
  EventBusName: bus,
  Source: `shiplog.${event.stream.slice(0, event.stream.indexOf("/"))}`,
  DetailType: event.type,
  Detail: JSON.stringify(event),
});
