import { consumer } from "../../engine/kit/consumer.ts";
import { maxReceives } from "../../engine/kit/subscription.ts";
import { FeedMessage } from "../../engine/webhooks/feed-message.ts";
import { everyAddress } from "../../engine/webhooks/lookup.ts";
import { type PostOptions, poster } from "../../engine/webhooks/post.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, eventLog, queues, rows, store, webhookSecrets } from "../../engine/wiring/parts.ts";
import { firstOf } from "./belongs.ts";
import { feed } from "./feed.ts";

/** For one whole request. Standard Webhooks says 15 to 30 seconds. */
const TIMEOUT_MS = 20_000;

/** `network`: what a test puts in the place of the names' lookup, or of the time that a request may take */
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
  const options: PostOptions = { lookup: everyAddress, allowLoopback: config.loopbackWebhooks ?? false, timeoutMs: TIMEOUT_MS, ...network };
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
