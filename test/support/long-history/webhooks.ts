import { webhookStream } from "../../../domain/kernel/identity.ts";
import type { WebhookCommand } from "../../../domain/webhook/commands.ts";
import { type Webhook, webhook } from "../../../domain/webhook/decider.ts";
import type { WebhookEvent } from "../../../domain/webhook/events.ts";
import { type Actor, actor, type Because, type Stage, type Story } from "../long-history.ts";

const MOST = 20;

/** Endpoints that come and go, and that fail now and then. */
export function* webhooks(stage: Stage): Story {
  const { random, ask } = stage;
  const endpoints: Actor<WebhookCommand, Webhook, WebhookEvent>[] = [];
  for (let n = 0; ; n++) {
    const by: Because = { actor: "grace", origin: "token:grace 203.0.113.7", correlation: `cmd_webhooks_${n}` };
    const wanted = random.chance(0.02) || endpoints.length === 0;
    if (wanted && endpoints.length < MOST) {
      const id = `wh_${endpoints.length.toString().padStart(26, "0")}`;
      const added = actor(webhookStream(id), webhook);
      const kind = random.chance(0.5) ? "slack" : "standard";
      const filters = { site: random.chance(0.5) ? "web" : null, environment: null, types: random.chance(0.3) ? ["DeploymentFailed"] : [] };
      ask(added, { type: "AddWebhook", kind, maskedUrl: "https://hooks.example.com/…", filters }, by);
      endpoints.push(added);
    } else if (random.chance(0.05)) {
      const of = random.pick(endpoints);
      const until = new Date(stage.now() + 86_400_000).toISOString();
      const commands: readonly WebhookCommand[] = [
        { type: "DisableWebhook", reason: "it answered 500 for five days" },
        { type: "EnableWebhook", reason: "it is back" },
        { type: "RotateSecret", previousUntil: until },
        { type: "RemoveWebhook", reason: "moved" },
      ];
      ask(of, random.pick(commands), by);
    }
    yield;
  }
}
