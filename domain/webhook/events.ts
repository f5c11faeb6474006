import * as z from "zod";
import { event } from "../kernel/event.ts";
import { Name } from "../kernel/identity.ts";
import { reader, type Upcasters } from "../kernel/upcast.ts";

/**
 * What can have happened to a webhook endpoint. Its URL and its signing secrets are in none of these: they are secrets,
 * and an event is for ever. These names and shapes are stored for ever: add a version beside the old one, never edit one.
 */
export const WebhookKind = z.enum(["slack", "standard", "subscription"]);
const Position = z.string().regex(/^\d{15}$/);
/** What an endpoint wants to hear; null and the empty list mean everything. */
export const WebhookFilters = z.object({ site: Name.nullable(), environment: Name.nullable(), types: z.array(z.string().max(64)).max(40) });

/** `maskedUrl`: `https://hooks.slack.com/…`, enough to know it again and too little to use it. */
export const WebhookAdded = event("WebhookAdded", 1, {
  kind: WebhookKind,
  maskedUrl: z.string().max(300),
  filters: WebhookFilters,
  /** of a subscription: the position of the log that it is told from on, included */
  from: Position.optional(),
});
export const WebhookRemoved = event("WebhookRemoved", 1, { reason: z.string().max(500).optional() });
/** A new signing secret is the first; the one before signs too until `previousUntil`. */
export const WebhookSecretRotated = event("WebhookSecretRotated", 1, { previousUntil: z.iso.datetime() });
/** Nothing is sent to it any more until somebody enables it. */
export const WebhookDisabled = event("WebhookDisabled", 1, { reason: z.string().min(1).max(2_000) });
export const WebhookEnabled = event("WebhookEnabled", 1, { reason: z.string().max(500).optional() });
/** A subscription is told the log from another position on, included: again what lies behind it, or not what lies before. */
export const WebhookReset = event("WebhookReset", 1, { from: Position, reason: z.string().max(500).optional() });

const kinds = [WebhookAdded, WebhookRemoved, WebhookSecretRotated, WebhookDisabled, WebhookEnabled, WebhookReset] as const;

export const WebhookEvent = z.discriminatedUnion("type", kinds);
export type WebhookEvent = z.infer<typeof WebhookEvent>;
export type WebhookKind = z.infer<typeof WebhookKind>;
export type WebhookFilters = z.infer<typeof WebhookFilters>;

/** Old versions of these events and how they read today. None yet. */
export const webhookUpcasters: Upcasters = {};

/** Reads one stored event of a webhook endpoint; throws `UnknownEvent`. */
export const readWebhookEvent = reader<WebhookEvent>(kinds as unknown as z.ZodType<WebhookEvent>[], webhookUpcasters);
export const webhookEventTypes: readonly WebhookEvent["type"][] = kinds.map((kind) => kind.shape.type.value);
/** As they are stored today, each with its type and version. */
export const webhookEventSchemas: readonly z.ZodObject[] = kinds;
