import { type EventOf, isKnown, readEvent } from "../../domain/aggregates.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type Category, isOf, siteOf } from "../../domain/kernel/identity.ts";
import { deploymentShape, projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, environmentShape, projectEnvironment } from "../../domain/projections/environment-view.ts";
import { projectSession, type SessionView, sessionShape } from "../../domain/projections/session-view.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import { isEnd } from "../../domain/projections/views.ts";
import { projectWebhook, type WebhookView, webhookShape } from "../../domain/projections/webhook-view.ts";

/** What every row has: the version of its stream that it has read. */
export type View = { readonly version: number };

/** How the rows of a read model lie in the table of views. Stored for ever. */
export type RowPlan<V> = {
  /** what the entity is called in the table */
  readonly entity: string;
  /** the attribute that is a row's key, and what it is: what follows the category in its stream's name */
  readonly key: readonly [attribute: string, of: (view: V) => string];
  /** attributes that indexes need; those that partition one are of a generation, like the key */
  readonly indexed: (view: V) => Readonly<Record<string, string>>;
  readonly indexes: Readonly<Record<string, { readonly index: "gsi1" | "gsi2"; readonly partition: string; readonly sort: string }>>;
  /** the row grows with what it tells of, and is packed: each event of its stream reads it */
  readonly isPacked: boolean;
};

/** How one read model follows from the events of the streams of one category. */
export type ReadModel<V extends View> = {
  readonly category: Category;
  /** of its rows: one of another number is folded anew */
  readonly shape: number;
  readonly plan: RowPlan<V>;
  /** the row before anything happened; `undefined` where there is none */
  begin(stream: string): V | undefined;
  /** Checks one stored event of a known type and lets it act. The row is the caller's to keep: it is changed in place. */
  apply(view: V | undefined, event: Recorded): V | undefined;
  /** nothing more is expected of its stream */
  over(view: V): boolean;
};

/**
 * @param project an event's effect on the row, which is the caller's to keep
 * @param plan `indexed` and `indexes` where its rows are found by more than their keys
 */
const model = <K extends Category, V extends View>(
  category: K,
  shape: number,
  project: (view: V | undefined, event: Recorded<EventOf<K>>) => V | undefined,
  {
    begin = () => undefined,
    over = () => false,
    plan,
  }: { begin?: ReadModel<V>["begin"]; over?: ReadModel<V>["over"]; plan: Partial<RowPlan<V>> & Pick<RowPlan<V>, "entity" | "key"> },
): ReadModel<V> => ({
  category,
  shape,
  plan: { indexed: () => ({}), indexes: {}, isPacked: false, ...plan },
  begin,
  apply: (view, event) => project(view, readEvent(category, event)),
  over,
});

export const ACTIVE = "active";
export const ENDED = "ended";
/** All endpoints are listed together: there are dozens at most. Those that were removed, however many, are in no list that is read. */
export const WEBHOOKS = "webhooks";
const REMOVED = "removed";
/** Sessions are listed by when they end: those that go on are the last. */
export const SESSIONS = "sessions";

/** A sequence as a text, in the order of the numbers. */
export const orderOf = (sequence: number): string => sequence.toString().padStart(10, "0");

/**
 * Every read model. A stream may feed several. One line is all that a new one needs beside its projection: it is kept,
 * rebuilt, verified, and read by `views.rows(generation)`.
 */
export const readModels = {
  deployments: model("deployment", deploymentShape, projectDeployment, {
    over: ({ status }: DeploymentView) => isEnd(status),
    plan: {
      entity: "deployment",
      key: ["id", ({ id }) => id],
      indexed: ({ site, environment, sequence, status }) => ({
        place: `${site}/${environment}`,
        order: orderOf(sequence),
        /** what the reconciler looks at */
        activity: isEnd(status) ? ENDED : ACTIVE,
      }),
      indexes: {
        byPlace: { index: "gsi1", partition: "place", sort: "order" },
        byActivity: { index: "gsi2", partition: "activity", sort: "id" },
      },
    },
  }),
  environments: model<"environment", EnvironmentView>(
    "environment",
    environmentShape,
    (view, event) => view && projectEnvironment(view, event),
    {
      begin: (stream) => {
        const { site, environment } = siteOf(stream);
        return emptyEnvironment(site, environment);
      },
      plan: { entity: "environment", key: ["place", ({ site, environment }) => `${site}/${environment}`], isPacked: true },
    },
  ),
  webhooks: model("webhook", webhookShape, projectWebhook, {
    plan: {
      entity: "webhook",
      key: ["id", ({ id }) => id],
      indexed: ({ removedAt }: WebhookView) => ({ list: removedAt === null ? WEBHOOKS : REMOVED }),
      indexes: { byList: { index: "gsi1", partition: "list", sort: "id" } },
    },
  }),
  sessions: model("session", sessionShape, projectSession, {
    plan: {
      entity: "session",
      key: ["id", ({ id }) => id],
      indexed: ({ until }: SessionView) => ({ list: SESSIONS, until }),
      indexes: { byEnd: { index: "gsi1", partition: "list", sort: "until" } },
    },
  }),
} as const;

export type ViewName = keyof typeof readModels;
export const viewNames = Object.keys(readModels) as readonly ViewName[];
/** The row that each read model has. */
export type Views = { readonly [K in ViewName]: (typeof readModels)[K] extends ReadModel<infer V> ? V : never };
/** A read model as those see it that go over all of them. */
export const modelOf = <K extends ViewName>(name: K): ReadModel<Views[K]> => readModels[name] as unknown as ReadModel<Views[K]>;

/** The read models that a stream feeds; none where this release knows none. */
export const viewsOf = (stream: string): readonly ViewName[] => viewNames.filter((name) => isOf(readModels[name].category, stream));

/** The row's key: what follows the category in its stream's name. */
export const keyOf = (name: ViewName, stream: string): string => stream.slice(readModels[name].category.length + 1);
export const streamOf = (name: ViewName, key: string): string => `${readModels[name].category}/${key}`;

/** A row after further events of its stream. It passes over kinds of events that it does not know: a newer release may write them. */
export const foldRow = <K extends ViewName>(name: K, row: Views[K] | undefined, events: readonly Recorded[]): Views[K] | undefined => {
  const { category, apply } = modelOf(name);
  let view = row;
  for (const event of events) if (isKnown(category, event.type)) view = apply(view, event);
  return view;
};

/** The row of a whole stream; `undefined` where nothing happened that it tells of. */
export const rowOf = <K extends ViewName>(name: K, stream: string, events: readonly Recorded[]): Views[K] | undefined => {
  const view = foldRow(name, modelOf(name).begin(stream), events);
  return view === undefined || view.version === 0 ? undefined : view;
};
