import { consumer } from "../../engine/kit/consumer.ts";
import { maxReceives } from "../../engine/kit/subscription.ts";
import { FeedMessage } from "../../engine/webhooks/feed-message.ts";
import { type PostOptions, poster, postOptions } from "../../engine/webhooks/post.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, eventLog, queues, rows, store, webhookSecrets } from "../../engine/wiring/parts.ts";
import { firstOf } from "./belongs.ts";
import { feed } from "./feed.ts";

/** `network`: see `postOptions` */
export const wire = (
  {
    aggregates,
    eventLog,
    rows,
    store,
    webhookSecrets,
    clock,
    log,
    queues,
    config,
  }: Pick<Engine, "aggregates" | "eventLog" | "rows" | "store" | "webhookSecrets" | "clock" | "log" | "queues" | "config">,
  network: Partial<PostOptions> = {},
) => {
  const options = postOptions(config, network);
  return consumer(
    maxReceives("feed"),
    queues.redelivery("feed"),
    (body) => FeedMessage.parse(JSON.parse(body)),
    feed({
      aggregates,
      log: eventLog,
      first: firstOf(store.read),
      rows,
      secrets: webhookSecrets,
      post: poster(options),
      report: log,
      clock,
    }),
  );
};

export const handler = onLambda({ aggregates, eventLog, rows, store, webhookSecrets, queues }, (engine) => wire(engine));
