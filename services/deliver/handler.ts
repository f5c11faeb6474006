import { consumer } from "../../engine/kit/consumer.ts";
import { maxReceives } from "../../engine/kit/subscription.ts";
import { DeliveryMessage } from "../../engine/webhooks/delivery.ts";
import { type PostOptions, poster, postOptions } from "../../engine/webhooks/post.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, people, queues, rows, webhookSecrets } from "../../engine/wiring/parts.ts";
import { deliver } from "./deliver.ts";

/** `network`: see `postOptions` */
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
  const options = postOptions(config, network);
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
