import * as z from "zod";
import { type EngineEvent, isKnown, isReadable, readAny, readEvent } from "../aggregates.ts";
import type { EnvironmentEvent } from "../environment/events.ts";
import { sayVersions } from "../environment/fence.ts";
import type { Recorded } from "../kernel/event.ts";
import { deploymentOf, isOf, siteOf } from "../kernel/identity.ts";
import { printable } from "../kernel/text.ts";
import { factsOf } from "../wording.ts";
import { projectDeployment } from "./deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "./environment-view.ts";
import type { DeploymentView, EnvironmentView } from "./views.ts";

/** What an auditor asks of one event: who, what, when, where, why, and what it changed. */
export const AuditRow = z.object({
  id: z.string(),
  position: z.string(),
  at: z.string(),
  type: z.string(),
  stream: z.string(),
  version: z.number(),
  site: z.string().nullable(),
  environment: z.string().nullable(),
  deployment: z.string().nullable(),
  actor: z.string(),
  /** kind of credential and source address of an API call; null for what the engine did itself */
  credential: z.string().nullable(),
  address: z.string().nullable(),
  /** what people gave as the reason, or why the engine did it */
  why: z.string().nullable(),
  /** the one or two facts that matter about it, in one line; null of one that a newer release wrote, and from an API older than this field */
  facts: z.string().nullable().default(null),
  trigger: z.string().nullable(),
  /** status of a deployment, live release, alias' version or a variable's fingerprint of an environment; null where it changed none of them */
  change: z
    .object({
      of: z.enum(["status", "live", "alias", "row", "pin", "lock", "variable"]),
      before: z.string().nullable(),
      after: z.string().nullable(),
    })
    .nullable(),
  cause: z.string(),
  correlation: z.string(),
});
export type AuditRow = z.infer<typeof AuditRow>;

/** The state of a stream as far as the audit needs it. */
export type Audited = { deployment?: DeploymentView | undefined; environment?: EnvironmentView };

/**
 * The audit's row of one event, and the state after it. `state` is the caller's to keep: it is changed in place.
 * An event that a newer release wrote has a row too, with what every event has.
 */
export const audit = (state: Audited, event: Recorded): { row: AuditRow; state: Audited } =>
  isKnown("deployment", event.type)
    ? ofDeployment(state, event)
    : isKnown("environment", event.type)
      ? ofEnvironment(state, event)
      : isKnown("letter", event.type)
        ? { row: ofLetter(event), state }
        : { row: ofAnother(state, event), state };

function ofAnother({ deployment }: Audited, event: Recorded): AuditRow {
  const place = deployment ?? (isOf("environment", event.stream) ? siteOf(event.stream) : undefined);
  return rowOf(event, {
    site: place?.site ?? null,
    environment: place?.environment ?? null,
    deployment: deployment?.id ?? null,
    why: whyOf(event.body),
    facts: isReadable(event) ? lineOf(readAny(event)) : null,
  });
}

function ofLetter(recorded: Recorded): AuditRow {
  const event = readEvent("letter", recorded);
  const { about, reason } = event.body;
  return rowOf(event, {
    ...(about !== null && isOf("environment", about) && siteOf(about)),
    ...(about !== null && isOf("deployment", about) && { deployment: deploymentOf(about) }),
    why: reason ?? null,
    facts: lineOf(event),
  });
}

function ofDeployment(state: Audited, recorded: Recorded): { row: AuditRow; state: Audited } {
  const event = readEvent("deployment", recorded);
  const before = state.deployment?.status ?? null;
  const view = projectDeployment(state.deployment, event);
  const after = view?.status ?? null;
  const row = rowOf(event, {
    site: view?.site ?? null,
    environment: view?.environment ?? null,
    deployment: view?.id ?? null,
    trigger: view?.trigger ?? null,
    why: whyOf(event.body) ?? (event.type === "DeploymentQueued" ? (view?.why ?? null) : null),
    facts: lineOf(event),
    change: before === after ? null : { of: "status", before, after },
  });
  return { row, state: { deployment: view } };
}

function ofEnvironment(state: Audited, recorded: Recorded): { row: AuditRow; state: Audited } {
  const event = readEvent("environment", recorded);
  const { site, environment } = siteOf(event.stream);
  const past = state.environment ?? emptyEnvironment(site, environment);
  const before = {
    live: past.live?.deploymentId ?? null,
    row: rowIn(past),
    pin: past.pin?.reason ?? null,
    lock: past.lock?.holder ?? null,
    variables: past.variables,
  };
  const view = projectEnvironment(past, event);
  const named = "deploymentId" in event.body ? event.body.deploymentId : null;
  const row = rowOf(event, {
    site,
    environment,
    deployment: named,
    trigger: event.type === "FlipRequested" || event.type === "ReleaseWentLive" ? event.body.reason : null,
    why: event.type === "VariablesRead" ? `values of ${event.body.names.join(", ")}` : whyOf(event.body),
    facts: lineOf(event),
    change: changeOf(event, before, view),
  });
  return { row, state: { environment: view } };
}

function changeOf(
  event: Recorded<EnvironmentEvent>,
  before: { live: string | null; row: string | null; pin: string | null; lock: string | null; variables: EnvironmentView["variables"] },
  after: EnvironmentView,
): AuditRow["change"] {
  switch (event.type) {
    case "AliasFlipped":
      return { of: "alias", before: `${event.body.function}:${event.body.from}`, after: `${event.body.function}:${event.body.to}` };
    case "AliasDriftDetected": {
      const { function: name, expected, found } = event.body;
      return {
        of: "alias",
        before: `${name}:${expected?.version ?? "none"}`,
        after: `${name}:${found === null ? "none" : sayVersions(found)}`,
      };
    }
    case "EdgeSwitched":
      return { of: "row", before: before.row, after: rowIn(after) };
    case "ReleaseEnded":
      return { of: "row", before: `r-${event.body.address}`, after: null };
    case "EdgeDriftDetected":
      return { of: "row", before: before.row, after: event.body.found ?? "none" };
    case "ReleaseWentLive":
      return { of: "live", before: before.live, after: after.live?.deploymentId ?? null };
    case "EnvironmentPinned":
    case "EnvironmentUnpinned":
      return { of: "pin", before: before.pin, after: after.pin?.reason ?? null };
    case "EnvironmentLocked":
    case "EnvironmentUnlocked":
      return { of: "lock", before: before.lock, after: after.lock?.holder ?? null };
    case "VariableSet":
    case "VariableRemoved": {
      const { name } = event.body;
      const was = Object.hasOwn(before.variables, name) ? before.variables[name]?.fingerprint : undefined;
      const said = (fingerprint: string | null | undefined) =>
        fingerprint ? `${name} ${fingerprint.slice(0, 8)}` : `${name} without a value`;
      return { of: "variable", before: said(was), after: said("fingerprint" in event.body ? event.body.fingerprint : null) };
    }
    default:
      return null;
  }
}

/** The row of what is live in the edge's table: `#7 r-5`. */
const rowIn = ({ routes }: EnvironmentView): string | null => {
  const live = routes.find(({ until }) => until === null);
  return live === undefined ? null : `#${live.sequence} r-${live.address}`;
};

const rowOf = (event: Recorded, more: Partial<AuditRow> = {}): AuditRow => {
  const { id, position, at, type, stream, version, actor, cause, correlation } = event;
  const [credential = "", address = ""] = event.origin.split(" ");
  return {
    id,
    position,
    at,
    type,
    stream,
    version,
    site: null,
    environment: null,
    deployment: null,
    actor,
    credential: credential || null,
    address: address || null,
    why: null,
    facts: null,
    trigger: null,
    change: null,
    cause,
    correlation,
    ...more,
  };
};

/** What people wrote may have several lines. */
const lineOf = (event: EngineEvent): string => printable(factsOf(event));

const whyOf = (body: unknown): string | null => {
  const { why, reason, because, request } = body as { why?: unknown; reason?: unknown; because?: unknown; request?: { reason?: unknown } };
  const given = [why, request?.reason, because, reason].find((text) => typeof text === "string" && text !== "");
  return typeof given === "string" ? given : null;
};
