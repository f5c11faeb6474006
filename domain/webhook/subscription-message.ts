import * as z from "zod";
import { RecordedEnvelope } from "../kernel/event.ts";

/** The `type` of every message that a subscription is sent. */
export const EVENTS_TYPE = "events";

/** The body of what a subscription is sent: events as they are recorded, in the log's order. `timestamp`: of the last of them. */
export const SubscriptionMessage = z.object({
  type: z.literal(EVENTS_TYPE),
  timestamp: z.string(),
  data: z.object({ subscription: z.string(), events: z.array(RecordedEnvelope).min(1) }),
});
export type SubscriptionMessage = z.infer<typeof SubscriptionMessage>;
