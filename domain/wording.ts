import type { EngineEvent } from "./aggregates.ts";
import { sayEdgeDrift } from "./environment/edge-drift.ts";
import { sayDrift } from "./environment/fence.ts";
import { sayGoes, sayLeft } from "./environment/keep.ts";
import { counted } from "./kernel/counted.ts";
import { clipped } from "./kernel/text.ts";

type Body<T extends EngineEvent["type"]> = Extract<EngineEvent, { readonly type: T }>["body"];
type Wording<T extends EngineEvent["type"]> = {
  /** the one or two facts that matter about it, in a few words */
  facts(body: Body<T>): string;
  /** what it is called in the answer to why a release is live; without it, it is no part of that answer */
  why?: string;
  /** in a message to a chat: a symbol and a word */
  badge?: readonly [symbol: string, word: string];
};

/**
 * How each kind of event is told, wherever it is: the command line, `why`, chats. The compiler asks for a line where there
 * is a new kind. What people and programs wrote is cut to length, never left out.
 */
export const wording: { readonly [T in EngineEvent["type"]]: Wording<T> } = {
  DeploymentQueued: { facts: ({ request, sequence }) => `${request.site}/${request.environment} #${sequence}${because(request.reason)}` },
  BuildDeferred: { facts: ({ reason }) => clip(reason) },
  BuildStarted: { facts: ({ buildId }) => buildId },
  BuildSucceeded: {
    facts: ({ buildId, reusedFrom }) => (reusedFrom === undefined ? buildId : `takes over the build of ${reusedFrom}`),
    why: "built",
  },
  BuildFailed: { facts: ({ phase, reason }) => `${phase === undefined ? "" : `in ${phase}: `}${clip(reason)}` },
  ReleaseStarted: { facts: ({ releaseId, warnings = [] }) => [releaseId, ...warnings.map((warning) => `warning: ${warning}`)].join("; ") },
  AssetsPublished: {
    facts: ({ uploaded, bytes, unchanged }) => `${counted(uploaded, "file")} uploaded (${showBytes(bytes)}), ${unchanged} there already`,
  },
  VersionsPublished: {
    facts: ({ functions, variables = {} }) =>
      `${functions.map(({ role, version }) => `${role} ${version}`).join(", ")}${withNames(Object.keys(variables))}`,
    why: "published",
  },
  ChecksPassed: {
    // an image function is asked for no image: 400 is the answer of one that works
    facts: ({ checks }) =>
      checks
        .map(
          ({ role, status, ms }) =>
            `${role} ${status ?? "ok"}${role === "image" && status === 400 ? " (expected)" : ""} in ${Math.round(ms)} ms`,
        )
        .join(", "),
    why: "checked",
  },
  ChecksFailed: { facts: ({ reason }) => clip(reason) },
  DeploymentHeld: { facts: ({ by, reason }) => `by the ${by}${because(reason)}` },
  FlipStarted: { facts: ({ sequence }) => `#${sequence}` },
  DeploymentSucceeded: { facts: ({ sequence }) => `#${sequence}` },
  // why a build failed is told with the build
  DeploymentFailed: { facts: ({ step, reason }) => (step === "build" ? `at ${step}` : `at ${step}: ${clip(reason)}`) },
  CancelRequested: { facts: ({ reason = "" }) => clip(reason) },
  DeploymentCancelled: { facts: ({ reason }) => clip(reason) },
  DeploymentSuperseded: { facts: ({ by }) => `by #${by.sequence}${by.deploymentId === undefined ? "" : ` ${by.deploymentId}`}` },

  ReleaseSwept: { facts: ({ rule, keep }) => sayGoes(rule, keep) },

  DeploymentAdmitted: { facts: ({ sequence, deploymentId }) => `#${sequence} ${deploymentId}` },
  FlipRequested: {
    facts: ({ sequence, reason, deploymentId, forced, why }) =>
      `#${sequence} ${reason} to ${deploymentId}${forced ? ", forced" : ""}${because(why)}`,
    why: "flip",
  },
  FlipHeld: {
    facts: ({ sequence, deploymentId, by, because: why }) => `#${sequence} ${deploymentId} by the ${by}${because(why)}`,
    why: "held",
  },
  AliasFlipped: { facts: ({ sequence, function: name, from, to }) => `#${sequence} ${name} ${from} → ${to}`, why: "alias" },
  ReleaseWentLive: {
    facts: ({ sequence, deploymentId, reason, previous }) =>
      `#${sequence} ${deploymentId} (${reason}), before: ${previous?.deploymentId ?? "nothing"}`,
    why: "live",
  },
  FlipSuperseded: { facts: ({ sequence, by }) => `#${sequence} by #${by}` },
  FlipFailed: { facts: ({ sequence, reason }) => `#${sequence}: ${clip(reason)}`, badge: ["❌", "flip failed"] },
  FlipWithdrawn: { facts: ({ sequence, reason }) => `#${sequence}: ${clip(reason)}` },
  AliasDriftDetected: {
    facts: ({ function: name, expected, found }) => `${name}: ${sayDrift(expected, found)}`,
    badge: ["⚠️", "alias moved by somebody else"],
  },
  AliasDriftEnded: {
    facts: ({ function: name, version }) => `${name}: version ${version} again`,
    badge: ["🟢", "alias back where it was put"],
  },
  EnvironmentPinned: { facts: ({ reason }) => clip(reason), badge: ["📌", "pinned"] },
  EnvironmentUnpinned: { facts: ({ reason = "" }) => clip(reason), badge: ["🟢", "unpinned"] },
  EnvironmentLocked: {
    facts: ({ holder, until, reason }) => `by ${holder}${until === null ? "" : ` until ${until}`}${because(reason)}`,
    badge: ["🔒", "locked"],
  },
  EnvironmentUnlocked: { facts: ({ holder, reason }) => `by ${holder}${because(reason)}`, badge: ["🔓", "unlocked"] },
  VariableSet: { facts: ({ name, fingerprint }) => `${name} (${fingerprint.slice(0, 8)})` },
  VariableRemoved: { facts: ({ name }) => name },
  VariablesRead: { facts: ({ names }) => clip(names.join(", ")) },
  EdgeInvalidated: { facts: ({ sequence, invalidationId }) => `#${sequence} ${invalidationId}` },
  EdgeInvalidationFailed: { facts: ({ sequence, reason }) => `#${sequence}: ${clip(reason)}` },

  EdgeSwitched: {
    facts: ({ sequence, distribution, route, ended }) =>
      [
        `#${sequence} live:${distribution} → r-${route.address} at ${route.server}${route.host}`,
        ...ended.map(({ release, until }) => `open pages of ${release} reach it until ${until}`),
      ].join("; "),
    why: "row",
  },
  ReleaseEnded: {
    facts: ({ release, address, reason, why }) =>
      `r-${address} ${release} (${reason === "cut" ? "cut off" : "its time was over"})${because(why)}`,
  },
  AddressRemoved: { facts: ({ release, address }) => `r-${address} ${release}` },
  EdgeDriftDetected: {
    facts: (body) => clipped(sayEdgeDrift(body), 300),
    badge: ["⚠️", "edge changed by somebody else"],
  },
  EdgeDriftEnded: {
    facts: ({ sequence }) => `its table sends visitors to #${sequence} again`,
    badge: ["🟢", "edge back where it was put"],
  },

  ReleaseKept: { facts: ({ deploymentId, reason }) => `${deploymentId}${because(reason)}` },
  ReleaseUnkept: { facts: ({ deploymentId, reason }) => `${deploymentId}${because(reason)}` },
  ReleasesMarked: {
    facts: ({ mark, releases, others, sweepAfter }) =>
      `mark ${mark}: ${counted(releases.length, "release")}${others.named.length + others.files === 0 ? "" : ` and ${counted(others.named.length + others.files, "other thing")}`} to go from ${sweepAfter} on`,
  },
  SweepBegan: { facts: ({ mark, releases }) => `mark ${mark}: ${counted(releases.length, "release")}` },
  SweepPutOff: { facts: ({ mark, reason }) => `mark ${mark}: ${clip(reason)}` },
  SweepEnded: {
    facts: ({ mark, releases, bytes, left }) =>
      `mark ${mark}: ${counted(releases, "release")}, ${showBytes(bytes)}${left === undefined ? "" : `; left: ${clip(sayLeft(left))}`}`,
  },
  MarkDropped: { facts: ({ mark, reason }) => `mark ${mark}: ${clip(reason)}` },

  WebhookAdded: { facts: ({ kind, maskedUrl, from }) => `${kind} ${maskedUrl}${from === undefined ? "" : ` from ${from} on`}` },
  WebhookSecretRotated: { facts: ({ previousUntil }) => `the secret before signs too until ${previousUntil}` },
  WebhookDisabled: { facts: ({ reason }) => clip(reason) },
  WebhookEnabled: { facts: ({ reason = "" }) => clip(reason) },
  WebhookReset: { facts: ({ from, reason }) => `from ${from} on${because(reason)}` },
  WebhookRemoved: { facts: ({ reason = "" }) => clip(reason) },

  SessionBegan: {
    facts: ({ kind, token, until }) => `${kind === "link" ? "a link" : "a browser"} by the token ${clip(token)}, until ${until}`,
  },
  SessionEnded: { facts: ({ reason = "" }) => clip(reason) },
  LetterRedriven: { facts: ({ consumer, failure, reason }) => `to ${consumer}${because(reason)} (it was put aside: ${clip(failure)})` },
  PersonForgotten: { facts: ({ reason = "" }) => clip(reason) },
  LetterDropped: { facts: ({ consumer, failure, reason }) => `of ${consumer}${because(reason)} (it was put aside: ${clip(failure)})` },
};

/** The one or two facts that matter about an event, in a few words. */
export const factsOf = <E extends EngineEvent>(event: E): string => (wording[event.type] as Wording<E["type"]>).facts(event.body as never);

/** `1.5 MB`; SI units, as AWS bills them. */
export const showBytes = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(0)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
};

const withNames = (names: readonly string[]): string => (names.length === 0 ? "" : `, with ${clip(names.join(", "))}`);
const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${clip(reason)}`);
const clip = (text: string): string => clipped(text, 160);
