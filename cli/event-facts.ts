import type { z } from "zod";
import type { EventView } from "../client/contract.ts";
import { DeploymentEvent } from "../domain/deployment/events.ts";
import { EnvironmentEvent } from "../domain/environment/events.ts";
import { sayDrift } from "../domain/environment/fence.ts";
import { clipped } from "../domain/kernel/text.ts";
import { WebhookEvent } from "../domain/webhook/events.ts";

/** An event as the API gives it. */
export type LoggedEvent = z.infer<typeof EventView>;

/** The event as this release knows it; `undefined` where a newer engine wrote it. */
export const knownEvent = (event: LoggedEvent): DeploymentEvent | EnvironmentEvent | WebhookEvent | undefined => {
  const { type, v, body } = event;
  const kind = event.stream.slice(0, event.stream.indexOf("/"));
  const schema = kind === "deployment" ? DeploymentEvent : kind === "webhook" ? WebhookEvent : EnvironmentEvent;
  const parsed = schema.safeParse({ type, v, body });
  return parsed.success ? parsed.data : undefined;
};

/** The one or two facts that matter about an event, in a few words. */
export function factsOf(logged: LoggedEvent): string {
  const event = knownEvent(logged);
  if (event === undefined) return clip(JSON.stringify(logged.body));
  switch (event.type) {
    case "DeploymentQueued":
      return `${event.body.request.site}/${event.body.request.environment} #${event.body.sequence}${because(event.body.request.reason)}`;
    case "BuildStarted":
      return event.body.buildId;
    case "BuildSucceeded":
      return event.body.reusedFrom === undefined ? event.body.buildId : `takes over the build of ${event.body.reusedFrom}`;
    case "BuildFailed":
      return `${event.body.phase === undefined ? "" : `in ${event.body.phase}: `}${clip(event.body.reason)}`;
    case "ReleaseStarted":
      return [event.body.releaseId, ...(event.body.warnings ?? []).map((warning) => `warning: ${warning}`)].join("; ");
    case "AssetsPublished":
      return `${event.body.uploaded} files uploaded (${showBytes(event.body.bytes)}), ${event.body.unchanged} there already`;
    case "VersionsPublished":
      return event.body.functions.map(({ role, version }) => `${role} ${version}`).join(", ");
    case "ChecksPassed":
      return event.body.checks.map(({ role, status, ms }) => `${role} ${status ?? "ok"} in ${Math.round(ms)} ms`).join(", ");
    case "ChecksFailed":
      return clip(event.body.reason);
    case "DeploymentHeld":
      return `by the ${event.body.by}${because(event.body.reason)}`;
    case "FlipStarted":
    case "DeploymentSucceeded":
      return `#${event.body.sequence}`;
    case "DeploymentFailed":
      return `at ${event.body.step}: ${clip(event.body.reason)}`;
    case "CancelRequested":
      return clip(event.body.reason ?? "");
    case "DeploymentCancelled":
      return clip(event.body.reason);
    case "DeploymentSuperseded":
      return `by #${event.body.by.sequence}${event.body.by.deploymentId === undefined ? "" : ` ${event.body.by.deploymentId}`}`;
    case "WebhookAdded":
      return `${event.body.kind} ${event.body.maskedUrl}`;
    case "WebhookSecretRotated":
      return `the secret before signs too until ${event.body.previousUntil}`;
    case "WebhookDisabled":
    case "WebhookEnabled":
    case "WebhookRemoved":
      return clip(event.body.reason ?? "");
    default:
      return environmentFacts(event);
  }
}

function environmentFacts(event: EnvironmentEvent): string {
  switch (event.type) {
    case "DeploymentAdmitted":
      return `#${event.body.sequence} ${event.body.deploymentId}`;
    case "FlipRequested":
      return `#${event.body.sequence} ${event.body.reason} to ${event.body.deploymentId}${because(event.body.why)}`;
    case "FlipHeld":
      return `#${event.body.sequence} ${event.body.deploymentId} by the ${event.body.by}${because(event.body.because)}`;
    case "AliasFlipped":
      return `#${event.body.sequence} ${event.body.function} ${event.body.from} → ${event.body.to}`;
    case "ReleaseWentLive":
      return `#${event.body.sequence} ${event.body.deploymentId} (${event.body.reason}), before: ${event.body.previous?.deploymentId ?? "nothing"}`;
    case "FlipSuperseded":
      return `#${event.body.sequence} by #${event.body.by}`;
    case "FlipFailed":
    case "FlipWithdrawn":
      return `#${event.body.sequence}: ${clip(event.body.reason)}`;
    case "AliasDriftDetected":
      return `${event.body.function}: ${sayDrift(event.body.expected, event.body.found)}`;
    case "AliasDriftEnded":
      return `${event.body.function}: version ${event.body.version} again`;
    case "EnvironmentPinned":
      return clip(event.body.reason);
    case "EnvironmentUnpinned":
      return clip(event.body.reason ?? "");
    case "EnvironmentLocked":
      return `by ${event.body.holder}${event.body.until === null ? "" : ` until ${event.body.until}`}${because(event.body.reason)}`;
    case "EnvironmentUnlocked":
      return `by ${event.body.holder}${because(event.body.reason)}`;
    case "EdgeInvalidated":
      return `#${event.body.sequence} ${event.body.invalidationId}`;
    case "EdgeInvalidationFailed":
      return `#${event.body.sequence}: ${clip(event.body.reason)}`;
  }
}

/** `1.5 MB`; SI units, as AWS bills them. */
export const showBytes = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
};

const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${clip(reason)}`);
const clip = (text: string): string => clipped(text, 160);
