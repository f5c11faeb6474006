import { consumer } from "../../engine/kit/consumer.ts";
import { maxReceives } from "../../engine/kit/subscription.ts";
import { DeliveryMessage } from "../../engine/webhooks/delivery.ts";
import { everyAddress } from "../../engine/webhooks/lookup.ts";
import { type PostOptions, poster } from "../../engine/webhooks/post.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, people, queues, rows, webhookSecrets } from "../../engine/wiring/parts.ts";
import { deliver } from "./deliver.ts";

/** For one whole attempt. Standard Webhooks says 15 to 30 seconds. */
const TIMEOUT_MS = 20_000;

/** `network`: what a test puts in the place of the names' lookup, or of the time that an attempt may take */
export const wire = (
  {
    aggregates,
    people,
    rows,
    webhookSecrets,
    clock,
    queues,
    config,
  }: Pick<Engine, "aggregates" | "people" | "rows" | "webhookSecrets" | "clock" | "queues" | "config">,
  network: Partial<PostOptions> = {},
) => {
  const options: PostOptions = { lookup: everyAddress, allowLoopback: config.loopbackWebhooks ?? false, timeoutMs: TIMEOUT_MS, ...network };
  return consumer(
    maxReceives("deliver"),
    queues.redelivery("deliver"),
    (body) => DeliveryMessage.parse(JSON.parse(body)),
    deliver({
      aggregates,
      people,
      rows,
      secrets: webhookSecrets,
      post: poster(options),
      timeoutMs: options.timeoutMs,
      clock,
    }),
  );
};

export const handler = onLambda({ aggregates, people, rows, webhookSecrets, queues }, (engine) => wire(engine));
