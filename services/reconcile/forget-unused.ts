import { isOf, webhookOf } from "../../domain/kernel/identity.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { WebhookSecrets } from "../../engine/webhooks/webhook-secrets.ts";

export type Ports = { readonly aggregates: Pick<Aggregates, "webhook">; readonly secrets: Pick<WebhookSecrets, "forget"> };

/**
 * Forgets the secret of an endpoint that is removed, or that somebody began to add and never did: that is written down
 * first, so that whoever stood still meanwhile adds nothing that has no secret.
 */
export const forgetUnused =
  ({ aggregates, secrets }: Ports) =>
  async (stream: string): Promise<void> => {
    if (!isOf("webhook", stream)) return;
    const id = webhookOf(stream);
    const because = { cause: "abandoned", correlation: stream, actor: "shiplog reconcile" };
    const { state } = await aggregates.webhook.execute(id, { type: "AbandonWebhook", reason: "its adding was cut off" }, because);
    if (state.removed) await secrets.forget(id);
  };
