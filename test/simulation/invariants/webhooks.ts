import { webhookSecret } from "../../../blueprint/topology.ts";
import { readDeploymentEvent } from "../../../domain/deployment/events.ts";
import { isOf, webhookOf, webhookStream } from "../../../domain/kernel/identity.ts";
import { projectDeployment } from "../../../domain/projections/deployment-view.ts";
import type { DeploymentView } from "../../../domain/projections/views.ts";
import type { WebhookView } from "../../../domain/projections/webhook-view.ts";
import type { Delivery } from "../../../domain/webhook/delivery.ts";
import { TEST_TYPE } from "../../../domain/webhook/news.ts";
import { eventsOf } from "../../../engine/log/codec.ts";
import { deliveryId } from "../../../engine/webhooks/delivery.ts";
import { type Cloud, holdsSecret } from "../aws/cloud.ts";
import type { World } from "../world/world.ts";

/** Invariants of webhooks: no secret goes out, a delivery is the same whenever it comes, and each change of a status is told. */
export const webhooksOf = (world: World) => {
  const bodies = new Map<string, string>();
  return {
    received: (delivery: string, body: string): void => {
      if (holdsSecret(body)) world.violate("a secret is in a webhook");
      if (delivery === "") return;
      const before = bodies.get(delivery);
      if (before !== undefined && before !== body) world.violate(`the delivery ${delivery} came twice, with another body the second time`);
      bodies.set(delivery, body);
    },
    /** Who is sent to has a secret, and nobody else has: where one is left, a note leads to it. */
    checkSecrets: ({ events, rows, webhookSecrets }: Cloud): void => {
      const inUse = new Set<string>();
      for (const [stream, stored] of events.streams) {
        if (!isOf("webhook", stream)) continue;
        const types = stored.flatMap(({ commit }) => eventsOf(commit)).map(({ type }) => type);
        if (!types.includes("WebhookRemoved")) inUse.add(webhookSecret(webhookOf(stream)));
      }
      for (const name of inUse) if (!webhookSecrets.has(name)) world.violate(`${name} is gone, and its endpoint is sent to`);
      const noted = new Set([...rows.begun.keys()].map((stream) => webhookSecret(webhookOf(stream))));
      for (const name of webhookSecrets.keys())
        if (!inUse.has(name) && !noted.has(name)) world.violate(`${name} is left, and nobody will look for it`);
    },
    checkQuiet: (cloud: Cloud): void => {
      for (const { delivery } of cloud.rows.deliveries.values()) checkVerdict(cloud, JSON.parse(delivery) as Delivery);
      for (const [id, { delivery }] of cloud.rows.deliveries) {
        if ((JSON.parse(delivery) as { status: string }).status !== "pending") continue;
        // a message that was tried too often waits for a person
        if (!isDeadLetter(cloud, "deliver", id)) world.violate(`the delivery ${id} is pending for ever`);
      }
      for (const [id, { text, since }] of cloud.rows.webhooks) {
        const view = JSON.parse(text) as WebhookView;
        // who was away for a while missed what was told meanwhile
        if (view.version === 1 && view.removedAt === null) checkTold(cloud, id, view, since);
      }
    },
  };

  /** What a receiver answered means what it says: only 2xx is a delivery, and 410 ends it. */
  function checkVerdict({ events }: Cloud, { id, type, webhook, status, tries }: Delivery): void {
    const [last] = tries;
    if (status === "delivered" && !(last?.status != null && last.status >= 200 && last.status < 300))
      world.violate(`the delivery ${id} is called delivered, and the answer was ${last?.status ?? "none"}`);
    // a message that only tries an endpoint out says what came of it, and no more
    const gone = type !== TEST_TYPE && tries.some((attempt) => attempt.status === 410);
    const types = (events.streams.get(webhookStream(webhook)) ?? []).flatMap(({ commit }) => eventsOf(commit)).map(({ type }) => type);
    if (gone && !types.includes("WebhookDisabled") && !types.includes("WebhookRemoved"))
      world.violate(`${webhook} answered that it is gone for good, and is not disabled`);
  }

  function checkTold(cloud: Cloud, webhook: string, { addedAt }: WebhookView, since: number): void {
    for (const [stream, stored] of cloud.events.streams) {
      if (!stream.startsWith("deployment/")) continue;
      let view: DeploymentView | undefined;
      for (const { commit, at } of stored) {
        for (const event of eventsOf(commit)) {
          const before = view?.status;
          view = projectDeployment(view, { ...event, ...readDeploymentEvent(event) });
          if (view?.status === before || at < since || event.at < addedAt) continue;
          if (cloud.rows.deliveries.has(deliveryId(event.id, webhook))) continue;
          if (isDeadLetter(cloud, "notify", event.id)) continue;
          world.violate(`${webhook} was never told of ${event.type} of ${stream}`);
        }
      }
    }
  }
};

const isDeadLetter = ({ queues }: Cloud, queue: string, id: string): boolean =>
  queues.deadLetters(queue).some(({ body }) => body.includes(id));
