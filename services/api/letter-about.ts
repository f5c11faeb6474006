import * as z from "zod";
import { DeploymentId, deploymentStream, WebhookId, webhookStream } from "../../domain/kernel/identity.ts";
import { AboutStream } from "../../domain/letter/events.ts";

/** What a dead letter speaks of: a stream, and the event where it is one. */
export type About = { readonly stream: string; readonly event: string | null; readonly type: string | null };

const Text = z.string().min(1).max(200);
const OfEvent = z.object({ detail: z.object({ stream: AboutStream, id: Text, type: Text }) });
const OfDelivery = z.object({ webhook: WebhookId, news: z.object({ event: Text, type: Text }) });
const Variable = z.object({ name: z.string(), value: z.string().optional() });
const OfBuild = z.object({
  detail: z.object({
    "additional-information": z.object({ environment: z.object({ "environment-variables": z.array(Variable) }) }),
  }),
});

/** As far as the body tells; `null` where it does not. It may be anything: it was put aside. */
export const aboutOf = (body: string): About | null => {
  const content = parsed(body);
  const event = OfEvent.safeParse(content).data?.detail;
  if (event !== undefined) return { stream: event.stream, event: event.id, type: event.type };
  const delivery = OfDelivery.safeParse(content).data;
  if (delivery !== undefined) return { stream: webhookStream(delivery.webhook), event: delivery.news.event, type: delivery.news.type };
  const variables = OfBuild.safeParse(content).data?.detail["additional-information"].environment["environment-variables"] ?? [];
  const id = DeploymentId.safeParse(variables.find(({ name }) => name === "SHIPLOG_DEPLOYMENT")?.value).data;
  return id === undefined ? null : { stream: deploymentStream(id), event: null, type: null };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
