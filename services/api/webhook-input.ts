import { positionAt } from "../../domain/kernel/position.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { type News, TEST_TYPE } from "../../domain/webhook/news.ts";

/** What an endpoint gets when it is only tried out. */
export const testNews = ({ id, filters, version }: WebhookView, event: string, actor: string, now: number): News => ({
  event,
  type: TEST_TYPE,
  at: new Date(now).toISOString(),
  stream: `webhook/${id}`,
  version,
  position: positionAt(now),
  site: filters.site ?? "shiplog",
  environment: filters.environment ?? "test",
  deployment: null,
  sequence: null,
  status: null,
  live: { before: null, after: null },
  flip: null,
  replaced: null,
  actor,
  commit: null,
  reason: "Somebody tries this endpoint out. Nothing was deployed.",
  step: null,
  durationMs: null,
  url: null,
  lastLines: [],
  next: `shiplog webhooks deliveries ${id}`,
});
