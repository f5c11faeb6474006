import { type Decider, type Refusal, refuse } from "../kernel/decider.ts";
import { withReason } from "../kernel/reason.ts";
import type { WebhookCommand } from "./commands.ts";
import type { WebhookEvent, WebhookFilters, WebhookKind } from "./events.ts";

/** Only what `decide` and the sender need to know. */
export type Webhook = {
  kind: WebhookKind | null;
  filters: WebhookFilters;
  removed: boolean;
  /** why nothing is sent to it; null where it is enabled */
  disabled: string | null;
  /** of a subscription: where it was told to begin last, and how often it was told so again; else null */
  begins: { from: string; resets: number } | null;
};

export const webhook: Decider<WebhookCommand, Webhook, WebhookEvent> = {
  shape: 2,
  initial: () => ({ kind: null, filters: { site: null, environment: null, types: [] }, removed: false, disabled: null, begins: null }),

  evolve(state, event) {
    switch (event.type) {
      case "WebhookAdded":
        state.kind = event.body.kind;
        state.filters = event.body.filters;
        state.begins = event.body.from === undefined ? null : { from: event.body.from, resets: 0 };
        break;
      case "WebhookRemoved":
        state.removed = true;
        break;
      case "WebhookDisabled":
        state.disabled = event.body.reason;
        break;
      case "WebhookEnabled":
        state.disabled = null;
        break;
      case "WebhookReset":
        state.begins = { from: event.body.from, resets: (state.begins?.resets ?? 0) + 1 };
        break;
      case "WebhookSecretRotated":
        break;
    }
    return state;
  },

  decide(given, state): readonly WebhookEvent[] | Refusal {
    const command = withReason(given);
    if (command.type === "AddWebhook") {
      const { type: _, ...body } = command;
      if (state.removed) return refuse("webhook.removed", "it was removed; add it again as a new one");
      return state.kind === null ? [{ type: "WebhookAdded", v: 1, body }] : [];
    }
    if (command.type === "AbandonWebhook") return state.kind === null && !state.removed ? abandoned(command.reason) : [];
    if (state.kind === null) return refuse("webhook.absent", "it was never added");
    if (command.type === "RemoveWebhook") return state.removed ? [] : [{ type: "WebhookRemoved", v: 1, body: because(command.reason) }];
    if (state.removed) return refuse("webhook.removed", "it was removed");

    switch (command.type) {
      case "RotateSecret":
        if (state.kind === "slack")
          return refuse("webhook.no-secret", "Slack checks no signature: its URL is the secret, so make a new URL in Slack and add that");
        return [{ type: "WebhookSecretRotated", v: 1, body: { previousUntil: command.previousUntil } }];
      case "DisableWebhook":
        return state.disabled === null ? [{ type: "WebhookDisabled", v: 1, body: { reason: command.reason } }] : [];
      case "EnableWebhook":
        return state.disabled === null ? [] : [{ type: "WebhookEnabled", v: 1, body: because(command.reason) }];
      case "ResetWebhook":
        if (state.begins === null) return refuse("webhook.no-place", "it is no subscription, so it has no place in the log");
        return [{ type: "WebhookReset", v: 1, body: { from: command.from, ...because(command.reason) } }];
    }
  },
};

const because = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });

/** In one commit: nobody ever sees it added. Where it led to was never written down. */
const abandoned = (reason: string): WebhookEvent[] => [
  { type: "WebhookAdded", v: 1, body: { kind: "standard", maskedUrl: "unknown", filters: { site: null, environment: null, types: [] } } },
  { type: "WebhookRemoved", v: 1, body: { reason } },
];
