import { deploymentEventTypes, readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environmentEventTypes, readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf, siteOf, webhookOf } from "../../domain/kernel/identity.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import { projectWebhook } from "../../domain/projections/webhook-view.ts";
import { readWebhookEvent, webhookEventTypes } from "../../domain/webhook/events.ts";
import type { Views } from "../aws/views.ts";
import { eventsOf } from "../store/codec.ts";

export type Ports = {
  /** the commits of a stream after a version */
  read(stream: string, after: number): Promise<readonly Commit[]>;
  readonly views: Pick<Views, "deployment" | "environment" | "webhook" | "putDeployment" | "putEnvironment" | "putWebhook">;
};

/**
 * Keeps the read models. A message only says which stream to look at: the rest is read from the store, from the row's
 * version on, so duplicates and disorder are harmless and gaps impossible.
 */
export const project =
  ({ read, views }: Ports) =>
  async ({ stream, version }: { stream: string; version: number }): Promise<void> => {
    const bring = stream.startsWith("deployment/") ? deployment : stream.startsWith("webhook/") ? webhook : environment;
    // a lost race means that somebody wrote a newer row: it may still be older than this message
    while (!(await bring()));

    async function deployment(): Promise<boolean> {
      let view = await views.deployment(deploymentOf(stream));
      if ((view?.version ?? 0) >= version) return true;
      for (const event of known(await read(stream, view?.version ?? 0), deploymentEventTypes))
        view = projectDeployment(view, { ...event, ...readDeploymentEvent(event) });
      return view === undefined || (await views.putDeployment(view));
    }

    async function environment(): Promise<boolean> {
      const { site, environment: name } = siteOf(stream);
      let view = (await views.environment(site, name)) ?? emptyEnvironment(site, name);
      if (view.version >= version) return true;
      for (const event of known(await read(stream, view.version), environmentEventTypes))
        view = projectEnvironment(view, { ...event, ...readEnvironmentEvent(event) });
      return views.putEnvironment(view);
    }

    async function webhook(): Promise<boolean> {
      let view = await views.webhook(webhookOf(stream));
      if ((view?.version ?? 0) >= version) return true;
      for (const event of known(await read(stream, view?.version ?? 0), webhookEventTypes))
        view = projectWebhook(view, { ...event, ...readWebhookEvent(event) });
      return view === undefined || (await views.putWebhook(view));
    }
  };

/** A projection passes over kinds of events that it does not list: a newer release may write them. */
const known = (commits: readonly Commit[], types: readonly string[]): Recorded<AnyEvent>[] =>
  commits.flatMap(eventsOf).filter(({ type }) => types.includes(type));
