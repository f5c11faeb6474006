import { isOf, webhookOf } from "../../domain/kernel/identity.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { Views } from "../../engine/views/views.ts";
import type { WebhookSecrets } from "../../engine/webhooks/webhook-secrets.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "webhook">;
  readonly secrets: Pick<WebhookSecrets, "forget">;
  readonly rows: Pick<Views, "forgetPlace">;
};

/**
 * Forgets the secret of an endpoint that is removed, or that somebody began to add and never did: that is written down
 * first, so that whoever stood still meanwhile adds nothing that has no secret. A subscription's place, too: a request that
 * was on its way when it was removed has written it once more.
 */
export const forgetUnused =
  ({ aggregates, secrets, rows }: Ports) =>
  async (stream: string): Promise<void> => {
    if (!isOf("webhook", stream)) return;
    const id = webhookOf(stream);
    const because = { cause: "abandoned", correlation: stream, actor: "shiplog reconcile" };
    const { state } = await aggregates.webhook.execute(id, { type: "AbandonWebhook", reason: "its adding was cut off" }, because);
    if (!state.removed) return;
    await secrets.forget(id);
    await rows.forgetPlace(id);
  };
