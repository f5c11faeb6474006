import * as z from "zod";
import { GitCommit, Source } from "../domain/deployment/shapes.ts";
import { FlipReason } from "../domain/environment/events.ts";
import { GoRule, Keep, stayRules } from "../domain/environment/keep.ts";
import { DeploymentId, Name } from "../domain/kernel/identity.ts";
import { Seal, SealManifest } from "../domain/kernel/seal.ts";
import { storable } from "../domain/kernel/text.ts";
import { AuditRow } from "../domain/projections/audit.ts";
import { Comparison } from "../domain/projections/compare.ts";
import { DoraFigures } from "../domain/projections/dora-figures.ts";
import { EngineFinding, HealthPart, HealthState } from "../domain/projections/engine-health.ts";
import { LetterDecision } from "../domain/projections/letter-decision.ts";
import { SessionView } from "../domain/projections/session-view.ts";
import { DeploymentView, EnvironmentView, Status } from "../domain/projections/views.ts";
import { WebhookView } from "../domain/projections/webhook-view.ts";
import { Because } from "../domain/projections/why.ts";
import { SessionKind } from "../domain/session/events.ts";
import { Delivery } from "../domain/webhook/delivery.ts";
import { WebhookKind } from "../domain/webhook/events.ts";
import { notableTypes } from "../domain/webhook/notable.ts";

/**
 * The HTTP API: what goes in and what comes out. JSON everywhere, `Authorization: Bearer <token>` everywhere but
 * `/v1/health` and `/v1/openapi.json`, which says all of this for programs (openapi.ts). A command takes an `Idempotency-Key` header: repeated with the same key it does nothing new and answers
 * the same; the key with another request (path, body or actor) is refused with 422 `key.reused`. A key is its token's alone. `X-Shiplog-Actor` is who the caller says they are, `X-Shiplog-Client: cli` that a person asked by command.
 * Every error is `{error: {code, message}}`: 400 bad input, 401 no or wrong token, 404 unknown site,
 * environment or id, 409 refused by the rules (code `noun.reason`), 413 longer than a request may be, 500 a fault,
 * or `stream.broken` and `seal.broken`: the log was changed behind Shiplog's back, and where; 503 `clock.wrong`;
 * 507 `store.full`.
 */

/** What a person or a program wrote, as it is kept (domain/kernel/text.ts): without what acts on a terminal. */
const text = z.string().overwrite(storable);
const reason = text.trim().min(1, "must not be empty").max(500, "must be no longer than 500 characters");
const Commit = GitCommit.extend({ message: text.max(500).optional(), author: text.max(200).optional(), branch: text.max(250).optional() });

/** `GET /v1/health` → `{ok: true}`; needs no token. */
export const Health = z.object({ ok: z.literal(true) });

/** The longest source that is taken, as a zip. */
export const MAX_SOURCE_BYTES = 500_000_000;

/** `POST /v1/sources`: where to put the source zip. `upload` is null where the same source is there already. */
export const PrepareSource = z.strictObject({
  site: Name,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive().max(MAX_SOURCE_BYTES),
});
export const PreparedSource = z.object({
  source: Source,
  upload: z.object({ url: z.string(), headers: z.record(z.string(), z.string()) }).nullable(),
});

/** `POST /v1/deployments` → 202 `{deployment}` */
export const RequestDeployment = z.strictObject({
  site: Name,
  environment: Name,
  source: Source,
  commit: Commit.optional(),
  reason: reason.optional(),
});
/**
 * `GET /v1/deployments?site=&environment=&status=&limit=&before=&at=&ids=` newest first → `{deployments, next}`. One request looks through the
 * newest 1,000: `next` is what to ask for as `before` to see older ones; null where there are none.
 */
export const ListDeployments = z.strictObject({
  /** whole ids, separated by commas: those, and nothing else is looked at */
  ids: z
    .string()
    .transform((text) => [...new Set(text.split(","))])
    .pipe(z.array(DeploymentId).max(100, "must be no more than 100"))
    .optional(),
  site: Name.optional(),
  environment: Name.optional(),
  status: Status.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(20),
  /** a whole id: only older ones */
  before: DeploymentId.optional(),
  at: z.string().optional(),
});
/** `GET /v1/deployments/:id`; `:id` may be a unique prefix (with or without `dep_`), everywhere. 409 `id.ambiguous` names the candidates. */
export const OneDeployment = z.object({ deployment: DeploymentView, progress: z.lazy(() => Progress).nullable() });
/** What a command to a deployment answers. */
export const JustDeployment = z.object({ deployment: DeploymentView });
export const ManyDeployments = z.object({ deployments: z.array(DeploymentView), next: z.string().nullable().default(null) });
/** How far a long step has come, where it is known: `{step: "assets", done: 120, total: 480}`. Not history: the last word only. */
export const Progress = z.object({ step: z.string(), done: z.number(), total: z.number() });

/** `POST /v1/deployments/:id/cancel` and `/retry` (`{reason?}`) → 202 `{deployment}`; for a retry it is the new deployment. */
export const WithReason = z.strictObject({ reason: reason.optional() });

/** An event as readers get it: the recorded event as it is (domain/kernel/event.ts `Recorded`). */
export const EventView = z.object({
  id: z.string(),
  stream: z.string(),
  version: z.number(),
  index: z.number(),
  type: z.string(),
  v: z.number(),
  body: z.record(z.string(), z.unknown()),
  position: z.string(),
  at: z.string(),
  actor: z.string(),
  /** kind of credential and source address of an API call; "" for what the engine does itself */
  origin: z.string(),
  cause: z.string(),
  correlation: z.string(),
});
/**
 * `GET /v1/deployments/:id/events?after=<version>` and `GET /v1/environments/:site/:environment/events?after=<version>`:
 * one stream from a version on → `{events, version}`; ask again with the version to follow. Nothing is lost or repeated.
 */
export const AfterVersion = z.object({ after: z.coerce.number().int().min(0).default(0) });
export const StreamEvents = z.object({ events: z.array(EventView), version: z.number() });
/**
 * `GET /v1/events?since=<ISO time or position>&until=&site=&environment=&type=&limit=`: the whole log in order, up to `until`
 * (included; default: all) → `{events, next}`.
 * To follow, ask again with `since=next`; the newest seconds are given again, so drop ids that were seen. They are given
 * whole: `limit` ends a page before them only.
 */
export const LogEvents = z.object({ events: z.array(EventView), next: z.string() });
export const ListEvents = z.strictObject({
  since: z.string().optional(),
  until: z.string().optional(),
  site: Name.optional(),
  environment: Name.optional(),
  type: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

/**
 * `GET /v1/stream?since=<ISO time or position>` → the log as it grows, from `since` (default: now) on, as Server-Sent Events:
 * each event's `data` is an `EventView`. Its `id` begins with the position up to which the log was given: shown again as
 * `Last-Event-ID` it goes on without loss or repetition, as long as no more than 400 commits come within ten seconds. Every fifteen seconds a comment and an event `beat`. 501
 * `stream.unavailable` where answers come whole (API Gateway): follow `GET /v1/events` there.
 */
export const FollowEvents = z.strictObject({ since: z.string().max(9_000).optional() });

/** `GET /v1/deployments/:id/logs?next=` → the build's log lines; ask again with `next` until `done`. */
export const NextLogs = z.object({ next: z.string().optional() });
export const BuildLogs = z.object({
  lines: z.array(z.object({ timestamp: z.number(), message: z.string() })),
  next: z.string().nullable(),
  done: z.boolean(),
});

/** `GET /v1/deployments/:id/compare/:other` → `{comparison}`: two releases of one site side by side. 409 `compare.sites`. */
export const OneComparison = z.object({ comparison: Comparison });

/** `GET /v1/environments` → `{environments}` (also those that never had a deployment); `GET /v1/environments/:site/:environment` → `{environment}` */
export const OneEnvironment = z.object({
  environment: EnvironmentView.extend({
    url: z.string(),
    /** names of the functions that the environment was declared with; absent from an API of an earlier release */
    functions: z.array(z.string()).optional(),
    /** digests of the keys that its edge sends, the newest first; absent from an API of an earlier release */
    edgeKeys: z.array(z.string()).optional(),
    /** the table that its edge looks up, and its name there; absent where it looks up none, and from an API of an earlier release */
    edge: z.object({ table: z.string(), distribution: z.string() }).optional(),
    /** names of the variables that a release of it is given from now on; absent from an API of an earlier release */
    declaredVariables: z.array(z.string()).optional(),
  }),
});
export const ManyEnvironments = z.object({ environments: z.array(OneEnvironment.shape.environment) });

const variableName = z.string().min(1).max(128);
/** A value is any text without a NUL: Lambda takes 4 KB for all of a function's together. */
const variableValue = z
  .string()
  .max(4_096, "must be no longer than 4096 characters")
  .refine((value) => value.isWellFormed() && !value.includes("\0"), "must be text, without a NUL");
/**
 * `PUT /v1/environments/:site/:environment/variables` `{values: {NAME: value}}` → `{changed, live, variables}`: all of them or
 * none; what has that value already is not among `changed`. They take effect with the next deployment. 409
 * `variable.undeclared`, `variables.large`. `DELETE …/variables/:name` → the same; 404 `variable.unknown`.
 */
export const SetVariables = z.strictObject({
  values: z
    .record(variableName, variableValue)
    .refine((values) => Object.keys(values).length > 0 && Object.keys(values).length <= 100, "must be 1 to 100 variables"),
});
export const OneVariable = z.object({
  name: z.string(),
  /** whether builds and functions are given it, by the sites file */
  declared: z.boolean(),
  value: z.enum(["set", "empty", "none"]),
  /** names the value without giving it away; null where there is none */
  fingerprint: z.string().nullable(),
  /** when and by whom this value was set by this API; null where it came otherwise */
  at: z.string().nullable(),
  by: z.string().nullable(),
  /** since the live release was built and published; null where nothing is live, or that is not known */
  changed: z.boolean().nullable(),
});
/** `GET /v1/environments/:site/:environment/variables` → names, and never a value. `live`: the live deployment */
export const ManyVariables = z.object({ live: z.string().nullable(), variables: z.array(OneVariable) });
export const VariablesChanged = ManyVariables.extend({ changed: z.array(z.string()) });
/**
 * `POST …/variables/read` → the values of those that are declared, for the tokens that the environment names; each is an
 * event `VariablesRead`. 403 `variables.closed`.
 */
export const ReadVariables = z.strictObject({});
export const VariableValues = z.object({ values: z.record(z.string(), z.string()) });

const deploymentPrefix = z.string().min(1).max(64);
/**
 * `GET /v1/environments/:site/:environment/rollback?to=` → `{plan, refusal}`: what a rollback would do, without doing it;
 * one of the two is null. The rule is `rollbackPlan` (domain/environment/rollback-plan.ts).
 */
export const PlanRollback = z.strictObject({ to: deploymentPrefix.optional() });
/** `live`: when it last was, until when (null: it still is), and how long all together; null where it never was, or long ago. */
export const PlannedRelease = z.object({
  deploymentId: z.string(),
  /** the last that it went live with, or is going live with */
  sequence: z.number(),
  commit: GitCommit.nullable(),
  /** who asked for the deployment */
  actor: z.string(),
  live: z.object({ since: z.string(), until: z.string().nullable(), ms: z.number() }).nullable(),
});
const SkippedRelease = z.object({
  deploymentId: z.string(),
  sequence: z.number(),
  is: z.enum(["taken-down", "passed-over", "unfit", "same-release"]),
  why: z.string(),
});
export const PlannedRollback = z.object({
  plan: z
    .object({
      /** what it leaves: what is going live at this moment, else what is live */
      from: PlannedRelease.extend({ goingLive: z.boolean() }),
      to: PlannedRelease,
      already: z.enum(["live", "under-way"]).nullable(),
      /** what it passes over on its way, newest first, at most twenty */
      skipped: z.array(SkippedRelease),
      /** why `to` would not be gone to by itself, where it was named */
      caution: SkippedRelease.nullable(),
    })
    .nullable(),
  refusal: z.object({ code: z.string(), message: z.string() }).nullable(),
});

/**
 * `POST /v1/environments/:site/:environment/rollback` → 202 `{sequence, deploymentId, previous}`. Without `to` it goes
 * where `GET …/rollback` says. `from`: what was seen there as left; 409 `rollback.changed` where that is another by now.
 * `force`: it goes live whatever it answers when it is tried. It is done when the environment's stream has
 * ReleaseWentLive (or FlipFailed / FlipSuperseded) with this sequence.
 */
export const Rollback = z.strictObject({
  to: deploymentPrefix.optional(),
  from: deploymentPrefix.optional(),
  reason: reason.optional(),
  force: z.boolean().default(false),
});
export const RollbackStarted = z.object({
  sequence: z.number(),
  deploymentId: z.string(),
  previous: z.string().nullable(),
  alreadyLive: z.boolean(),
  version: z.number(),
});

/**
 * `POST /v1/environments/:site/:environment/releases/:deployment/cut` `{reason?}` → 200 `{environment}`: its row goes from the
 * edge's table. Asked for twice it changes nothing. 409 `release.live`, `release.going-live`, `release.not-routed`.
 */
export const CutRelease = z.strictObject({ reason: reason.optional() });

/**
 * `GET /v1/environments/:site/:environment/sweep?explain=` → what of its releases stays and what goes, and by which rule, without
 * changing anything. `explain`: a deployment, `<function>:<version>`, `r-<n>`, a path as visitors ask for it, a key in the bucket of
 * files, or the id of a set of public files.
 */
export const PlanSweep = z.strictObject({ explain: z.string().min(1).max(1_024).optional() });
export const PlannedSweep = z.object({
  sweep: z.object({
    /** as the sites file says it; `window` and `wait` in hours */
    keep: Keep.extend({ wait: z.number() }),
    marked: EnvironmentView.shape.marked,
    swept: EnvironmentView.shape.swept,
    /** oldest first; one of `stays` and `goes` is null */
    releases: z.array(
      z.object({
        deploymentId: z.string(),
        /** the id that its build was made with */
        release: z.string(),
        sequence: z.number(),
        madeAt: z.string(),
        stays: z.enum(stayRules).nullable(),
        goes: GoRule.nullable(),
        because: z.string(),
        /** of its functions' code, as far as no other release has it */
        bytes: z.number(),
      }),
    ),
    /** what no release has and goes too; of files, how many */
    others: z.array(z.string()),
    /** ids of releases that no deployment in the log has: while there are any, nothing goes */
    strangers: z.array(z.string()),
    /** deployments whose releases stay, and whose manifests are gone: then nothing goes either */
    lost: z.array(z.string()).default([]),
    /** of functions' code and of files that have a name of their own in each version */
    bytes: z.object({ stay: z.number(), go: z.number() }),
  }),
  /** `of`: the deployments that need it; where none does, those that it is of */
  explained: z
    .object({
      thing: z.string(),
      stays: z.boolean(),
      /** `gone`: it was taken away, or never was; `unknown`: nothing in the environment has that name */
      is: z.enum(["there", "gone", "unknown"]).default("there"),
      because: z.string(),
      of: z.array(z.string()),
    })
    .nullable(),
});
/** `POST …/sweep` `{}` → 202 `{asked}`: what nothing keeps is marked, or what was marked long enough is taken away. */
export const Sweep = z.strictObject({});
export const SweepAsked = z.object({ asked: z.literal(true) });

/**
 * `POST …/releases/:deployment/keep` `{reason}`, `/unkeep` `{reason?}` → 200 `{environment}`. 409 `release.swept`,
 * `release.unknown`, `release.too-many-kept`.
 */
export const KeepRelease = z.strictObject({ reason });

/** `POST …/pin` `{reason}`, `/unpin` `{reason?}`, `/lock` `{reason, until?}`, `/unlock` `{reason?, force?}` → 200 `{environment}` */
export const Pin = z.strictObject({ reason });
export const Lock = z.strictObject({ reason, until: z.iso.datetime({ offset: true }).optional() });
export const Unlock = z.strictObject({ reason: reason.optional(), force: z.boolean().default(false) });

export const DeadLetter = z.object({
  consumer: z.string(),
  messageId: z.string(),
  /** why it was put aside */
  reason: z.string(),
  at: z.string().nullable(),
  body: z.string(),
  /** how often its consumer was given it; null where nobody counted */
  tries: z.number().nullable().default(null),
  /** what it speaks of; null where its body does not tell */
  about: z.object({ stream: z.string(), event: z.string().nullable(), type: z.string().nullable() }).nullable().default(null),
  /** somebody has decided of it and was cut off: to ask for the same once more finishes it */
  decided: LetterDecision.nullable().default(null),
});
/**
 * `GET /v1/dead-letters` → what no consumer could take, with the reason, and what no site's revalidation could confirm;
 * still in the dead-letter queues, some dozens of each. `unread` names the consumers whose queue of dead letters is gone.
 */
export const DeadLetters = z.object({
  letters: z.array(DeadLetter),
  unread: z.array(z.string()).default([]),
});

/**
 * `GET /v1/dead-letters/:letter` → `{letter}`. `:letter` may be a unique prefix, everywhere; of each queue two hundred are
 * looked through. 404 `letter.unknown` says what became of one that is gone.
 */
export const OneDeadLetter = z.object({ letter: DeadLetter });
/**
 * `POST /v1/dead-letters/:letter/redrive` `{reason?}` sends it to its consumer again, `/drop` `{reason}` throws it away →
 * `{letter}`, with the decision as the log has it (its first, where it was asked for twice).
 */
export const DropLetter = z.strictObject({ reason });
export const DecidedLetter = z.object({
  letter: z.object({
    messageId: z.string(),
    consumer: z.string(),
    reason: z.string(),
    about: z.string().nullable(),
    decided: LetterDecision,
  }),
});

/**
 * `GET /v1/health/engine` → whether the engine itself is well, a finding a part; `state` is the worst of them. It looks at
 * the newest commits, the deployments on their way and up to a hundred environments. `GET /v1/health` says only that the
 * API answers.
 */
/** `?part=`: that part alone is looked at. */
export const LookAtHealth = z.strictObject({ part: HealthPart.optional() });
export const EngineHealth = z.object({ at: z.string(), state: HealthState, findings: z.array(EngineFinding) });

/** `POST /v1/dead-letters/empty` → `{emptied}`, about how many: the pages that a site could not confirm are forgotten. */
export const EmptyDeadLetters = z.strictObject({ site: z.string(), environment: z.string() });
export const DeadLettersEmptied = z.object({ emptied: z.number() });

/** `?at=<ISO time or position>`: as it was then. Taken by the lists and single reads of deployments and environments, too. */
export const AtMoment = z.strictObject({ at: z.string().optional() });

/**
 * `GET /v1/environments/:site/:environment/history?before=&limit=&at=` → `{changes, next}`: what was live (at that time or position), newest first, and how
 * each came and went. `next`: ask again with it as `before`; null at the beginning.
 */
export const ListHistory = z.strictObject({
  at: z.string().optional(),
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
export const HistoryEntry = z.object({
  deploymentId: z.string(),
  sequence: z.number(),
  previous: z.string().nullable(),
  how: FlipReason,
  by: z.string(),
  /** of a rollback the reason given then, else of the deployment */
  why: z.string().nullable(),
  unproven: z.string().nullable(),
  since: z.string(),
  until: z.string().nullable(),
  /** how long it was live, until now where it is */
  ms: z.number(),
  ended: z.object({ how: FlipReason, by: z.string(), why: z.string().nullable(), to: z.string() }).nullable(),
  commit: GitCommit.nullable(),
});
export const History = z.object({ changes: z.array(HistoryEntry), next: z.number().nullable() });

/** `GET /v1/environments/:site/:environment/why?at=` → why that release is (or was) live, from the first request on; empty where nothing was. */
export const Why = z.object({ deployment: z.string().nullable(), because: z.array(Because) });

/**
 * `GET /v1/audit?since=&until=&site=&environment=&actor=&type=&limit=&cursor=&bodies=`: the trail in the log's order, from
 * `since` (included, default thirty days ago) up to `until` (excluded). Ask again with `cursor=next` until it is null; a
 * page may be empty where a filter let nothing through. `bodies=true`: each row with its event's body. What is told was
 * held against its own hash when it was read; whether the log is whole, `shiplog audit verify` says.
 */
export const ListAudit = z.strictObject({
  since: z.string().optional(),
  until: z.string().optional(),
  site: Name.optional(),
  environment: Name.optional(),
  actor: z.string().max(200).optional(),
  type: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(500),
  cursor: z
    .string()
    .regex(/^\d{15}#[\w./-]+#\d{10}$/)
    .optional(),
  bodies: z.literal("true").optional(),
});
const AuditRowShown = AuditRow.extend({ body: z.record(z.string(), z.unknown()).optional() });
export const AuditPage = z.object({ rows: z.array(AuditRowShown), next: z.string().nullable() });

/** The longest period of which DORA figures are made at once. */
export const MAX_DORA_DAYS = 400;
/**
 * `GET /v1/dora?site=&environment=&since=&until=`: the four DORA figures of an environment, a site or all, from `since`
 * (included, default thirty days before `until`) up to `until` (excluded, default and at most now). What each figure
 * counts stands in the answer. 400 `period.large` of more than 400 days, or of a period with more than the API reads at once.
 */
export const AskDora = z.strictObject({
  site: Name.optional(),
  environment: Name.optional(),
  since: z.string().optional(),
  until: z.string().optional(),
});
export const Dora = DoraFigures.extend({
  since: z.string(),
  until: z.string(),
  site: z.string().nullable(),
  environment: z.string().nullable(),
});

/**
 * `GET /v1/seals?after=<number>` → a page of the seals behind that one, in order, each with an address from which its
 * segment (gzipped JSON lines) can be read for fifteen minutes, and the public key. Read the page's segments, then ask
 * again with `after=next` until it is null; the last page says what is in no seal (null where nothing was ever sealed).
 * `POST /v1/seals` seals that; `sealed` is null where there was nothing. 409 `chain.broken`: what is not as it was written
 * was left out.
 */
export const ListSeals = z.strictObject({ after: z.coerce.number().int().min(0).default(0) });
export const Seals = z.object({
  publicKey: z.string(),
  seals: z.array(Seal.extend({ segment: z.string() })),
  next: z.number().nullable(),
  /** commits of the log that are in no seal, and the time of the oldest */
  unsealed: z.object({ commits: z.number(), since: z.string().nullable() }).nullable().default(null),
});
export const Sealed = z.object({ sealed: SealManifest.nullable() });
/** `GET /v1/seals/newest` → how far the log is sealed, without its segments. `newest` and `unsealed` are null where it never was. */
export const NewestSeal = z.object({
  newest: z
    .object({ number: z.number(), sealedAt: z.string(), count: z.number(), first: z.string().nullable(), last: z.string().nullable() })
    .nullable(),
  unsealed: Seals.shape.unsealed,
});

/**
 * `POST /v1/webhooks` → 201 `{webhook, secret}`: the signing secret is told now and never again (null for Slack, whose
 * URL is the secret). 400 `url.refused` says why a URL cannot be used. `types` empty: every change of a status.
 */
export const AddWebhook = z.strictObject({
  kind: WebhookKind.exclude(["subscription"]),
  url: z.string().min(1).max(2_000),
  site: Name.optional(),
  environment: Name.optional(),
  types: z.array(z.enum(notableTypes)).default([]),
});
/** `POST /v1/webhooks/:id/rotate` → the same; the secret before signs too for another day. `:id` may be a unique prefix, everywhere. */
export const WebhookWithSecret = z.object({ webhook: WebhookView, secret: z.string().nullable() });
/** How an endpoint takes what is sent to it: since when nothing arrives, and until when it asked for a pause; null: neither. */
const WebhookHealth = z.object({ failingSince: z.string().nullable(), pausedUntil: z.string().nullable() });
/** `POST /v1/webhooks/:id/enable` and `/remove` `{reason?}` → `{webhook}`; `GET /v1/webhooks/:id` → the same with its health */
export const OneWebhook = z.object({ webhook: WebhookView, health: WebhookHealth.optional() });
/** `GET /v1/webhooks` → `{webhooks}`, oldest first, without those that were removed, and without subscriptions */
export const ManyWebhooks = z.object({ webhooks: z.array(WebhookView) });
/**
 * `GET /v1/webhooks/:id/deliveries?limit=` newest first → `{deliveries}`; `GET …/deliveries/:delivery` → `{delivery}`.
 * `POST /v1/webhooks/:id/test` and `POST …/deliveries/:delivery/redeliver` → 202 `{delivery}` as it was before: look
 * again until it has one attempt more. A delivery keeps its id, whatever is done with it.
 */
export const ListDeliveries = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(20) });
export const ManyDeliveries = z.object({ deliveries: z.array(Delivery) });
export const OneDelivery = z.object({ delivery: Delivery });

/** The most events that are counted behind a subscription's place. */
export const MAX_COUNTED_BEHIND = 1_000;
const From = z.string().max(40).describe('"beginning", "now", an ISO 8601 time, or a position of 15 digits, included');
/** A receiver that is told the log in its order, from its place on. */
const Subscription = z.object({
  id: z.string(),
  /** scheme and host alone */
  url: z.string(),
  filters: WebhookView.shape.filters,
  actor: z.string(),
  addedAt: z.string(),
  rotatedAt: z.string().nullable(),
  /** the position that it was told the log from on, since it was added or reset */
  from: z.string(),
  /** up to where its receiver took the log; null where it took nothing yet */
  place: z.object({ position: z.string(), at: z.string() }).nullable(),
  /** what of the log it was not told yet, whatever it asked for: the age of the oldest in seconds, and events up to a thousand (`more`: there are more); null where what it was not told was changed */
  lag: z.object({ seconds: z.number(), events: z.number(), more: z.boolean() }).nullable(),
  failing: z.object({ since: z.string(), attempts: z.number(), nextAt: z.string(), reason: z.string() }).nullable(),
  paused: z.object({ at: z.string(), reason: z.string() }).nullable(),
});
/**
 * `POST /v1/subscriptions` → 201 `{subscription, secret}`: the signing secret is told now and never again. `types` empty: every
 * event of the log. Its URL is vetted as an endpoint's is, and it is removed and given another secret as one:
 * `POST /v1/webhooks/:id/remove` and `/rotate`.
 */
export const AddSubscription = z.strictObject({
  url: z.string().min(1).max(2_000),
  from: From.default("now"),
  site: Name.optional(),
  environment: Name.optional(),
  types: z.array(z.string().max(64)).max(40).default([]),
});
export const SubscriptionWithSecret = z.object({ subscription: Subscription, secret: z.string() });
/** `POST /v1/subscriptions/:id/pause` and `/resume` `{reason?}` → `{subscription}` */
export const OneSubscription = z.object({ subscription: Subscription });
/** `POST /v1/subscriptions/:id/reset` `{from, reason?}` → `{subscription}`: it is told the log from there on, whatever it took before. */
export const ResetSubscription = z.strictObject({ from: From, reason: reason.optional() });
/** `GET /v1/subscriptions` → `{subscriptions}`, oldest first, without those that were removed */
export const ManySubscriptions = z.object({ subscriptions: z.array(Subscription) });

/**
 * `GET /v1/caller` → `{caller}`: who asks, as the engine knows them. `scope` `read`: it may look, and change nothing.
 * `session`: by which it asks; null where it shows the token itself.
 */
export const WhoAsks = z.object({
  caller: z.object({ token: z.string(), scope: z.enum(["all", "read"]), actor: z.string(), session: SessionView.nullable() }),
});
/**
 * `POST /v1/sessions` `{kind?}` → 201 `{session, secret}`: who shows a token has a session of it, whose secret is told now and
 * never again, and is sent in the token's place (`Authorization: Bearer shs_…`). `browser`: for twelve hours. `link`: good for
 * one minute, and for beginning a session of a browser, once. A session begins no other one. 409 `session.begun`, `session.used`, `session.many`.
 */
export const BeginSession = z.strictObject({ kind: SessionKind.default("browser") });
export const SessionWithSecret = z.object({ session: SessionView, secret: z.string() });
/** `POST /v1/sessions/:id/end` `{reason?}` → `{session}`: it lets nobody in any more. */
export const OneSession = z.object({ session: SessionView });
/** `GET /v1/sessions` → `{sessions}`: those that go on, newest first. */
export const ManySessions = z.object({ sessions: z.array(SessionView) });

/** Whose pseudonym the log has: `per_…`. `since`: when it first had to do with them. */
export const PersonView = z.object({ id: z.string(), name: z.string(), since: z.string() });
/** `GET /v1/people` → `{people}`: those who are not forgotten, by name. */
export const ManyPeople = z.object({ people: z.array(PersonView) });
/**
 * `POST /v1/people/:id/forget` `{reason?}` → `{forgotten}`: their name is erased, and the log has a pseudonym that nobody can
 * read any more. 404 `person.unknown`.
 */
export const PersonGone = z.object({ forgotten: z.string() });

export const ApiError = z.object({
  error: z.object({ code: z.string(), message: z.string(), candidates: z.array(z.string()).optional() }),
});
