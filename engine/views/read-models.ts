import { deploymentEventTypes, readDeploymentEvent } from "../../domain/deployment/events.ts";
import { environmentEventTypes, readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import { deploymentShape, projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, environmentShape, projectEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import { isEnd } from "../../domain/projections/views.ts";
import { projectWebhook, type WebhookView, webhookShape } from "../../domain/projections/webhook-view.ts";
import { readWebhookEvent, webhookEventTypes } from "../../domain/webhook/events.ts";
import type { ViewName } from "./view-names.ts";

/** The row that each read model has. */
export type Views = { readonly deployments: DeploymentView; readonly environments: EnvironmentView; readonly webhooks: WebhookView };

/** How one read model follows from the events of one stream. */
export type ReadModel<V extends { readonly version: number }> = {
  /** what its streams' names begin with */
  readonly prefix: string;
  readonly types: ReadonlySet<string>;
  /** of its rows: one of another number is folded anew */
  readonly shape: number;
  /** the row before anything happened; `undefined` where there is none */
  begin(stream: string): V | undefined;
  /** Checks one stored event of a known type and lets it act. The row is the caller's to keep: it is changed in place. */
  apply(view: V | undefined, event: Recorded<AnyEvent>): V | undefined;
  /** nothing more is expected of its stream */
  over(view: V): boolean;
};

export const readModels: { readonly [K in ViewName]: ReadModel<Views[K]> } = {
  deployments: {
    prefix: "deployment/",
    types: new Set(deploymentEventTypes),
    shape: deploymentShape,
    begin: () => undefined,
    apply: (view, event) => projectDeployment(view, { ...event, ...readDeploymentEvent(event) }),
    over: ({ status }) => isEnd(status),
  },
  environments: {
    prefix: "environment/",
    types: new Set(environmentEventTypes),
    shape: environmentShape,
    begin: (stream) => {
      const { site, environment } = siteOf(stream);
      return emptyEnvironment(site, environment);
    },
    apply: (view, event) => view && projectEnvironment(view, { ...event, ...readEnvironmentEvent(event) }),
    over: () => false,
  },
  webhooks: {
    prefix: "webhook/",
    types: new Set(webhookEventTypes),
    shape: webhookShape,
    begin: () => undefined,
    apply: (view, event) => projectWebhook(view, { ...event, ...readWebhookEvent(event) }),
    over: () => false,
  },
};

/** The read model that a stream belongs to. */
export const viewOf = (stream: string): ViewName =>
  stream.startsWith(readModels.deployments.prefix)
    ? "deployments"
    : stream.startsWith(readModels.webhooks.prefix)
      ? "webhooks"
      : "environments";

/** A row after further events of its stream. It passes over kinds of events that it does not list: a newer release may write them. */
export const advance = <V extends { readonly version: number }>(
  model: ReadModel<V>,
  view: V | undefined,
  events: readonly Recorded[],
): V | undefined => {
  let row = view;
  for (const event of events) if (model.types.has(event.type)) row = model.apply(row, event);
  return row;
};
