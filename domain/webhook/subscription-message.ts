import type { Recorded } from "../kernel/event.ts";

/** The body of what a subscription is sent: events as they are recorded, in the log's order. `timestamp`: of the last of them. */
export type SubscriptionMessage = {
  readonly type: "events";
  readonly timestamp: string;
  readonly data: { readonly subscription: string; readonly events: Recorded[] };
};
