import type { WebhookEvent } from "./events.ts";

type Body<T extends WebhookEvent["type"]> = Extract<WebhookEvent, { type: T }>["body"];

/** What may be asked of a webhook endpoint. Only Shiplog's own code makes these: input from outside is checked at its door. */
export type WebhookCommand =
  | ({ type: "AddWebhook" } & Body<"WebhookAdded">)
  | { type: "RemoveWebhook"; reason?: string }
  /** ends what somebody began to add and never did: whoever still adds it is refused */
  | { type: "AbandonWebhook"; reason: string }
  | { type: "RotateSecret"; previousUntil: string }
  | { type: "DisableWebhook"; reason: string }
  | { type: "EnableWebhook"; reason?: string }
  | ({ type: "ResetWebhook" } & Body<"WebhookReset">);
