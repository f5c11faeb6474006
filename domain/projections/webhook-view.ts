import * as z from "zod";
import type { Recorded } from "../kernel/event.ts";
import { webhookOf } from "../kernel/identity.ts";
import { type WebhookEvent, WebhookFilters, WebhookKind } from "../webhook/events.ts";

/** What readers see of a webhook endpoint. */
export const WebhookView = z.object({
  id: z.string(),
  kind: WebhookKind,
  /** scheme and host alone */
  url: z.string(),
  filters: WebhookFilters,
  /** of a subscription: the position that it was told the log from on; null of other endpoints */
  from: z.string().nullable().default(null),
  actor: z.string(),
  addedAt: z.string(),
  rotatedAt: z.string().nullable(),
  disabled: z.object({ at: z.string(), reason: z.string() }).nullable(),
  removedAt: z.string().nullable(),
  version: z.number(),
});
export type WebhookView = z.infer<typeof WebhookView>;

/**
 * The number of this row's shape: raised with every change of what the projection makes of the same events. A row that has
 * another number (an older engine's, or a newer one's after a step back) is folded anew from its stream when it is read.
 */
export const webhookShape = 3;

/** One event's effect on what readers see of an endpoint. The view is the caller's to keep: it is changed in place. */
export const projectWebhook = (view: WebhookView | undefined, event: Recorded<WebhookEvent>): WebhookView | undefined => {
  const { at, actor, version } = event;
  if (event.type === "WebhookAdded") {
    const { kind, maskedUrl: url, filters, from = null } = event.body;
    const id = webhookOf(event.stream);
    return { id, kind, url, filters, from, actor, addedAt: at, rotatedAt: null, disabled: null, removedAt: null, version };
  }
  if (view === undefined) return undefined;
  view.version = version;
  switch (event.type) {
    case "WebhookRemoved":
      view.removedAt = at;
      break;
    case "WebhookSecretRotated":
      view.rotatedAt = at;
      break;
    case "WebhookDisabled":
      view.disabled = { at, reason: event.body.reason };
      break;
    case "WebhookEnabled":
      view.disabled = null;
      break;
    case "WebhookReset":
      view.from = event.body.from;
      break;
    default:
      event satisfies never;
  }
  return view;
};
