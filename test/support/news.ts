import type { News } from "../../domain/webhook/news.ts";
import { at, deploymentId } from "./samples.ts";

const live = (n: number) => ({ deployment: deploymentId(n), sequence: n });

/** News of a deployment on its way, changed. */
export const news = (change: Partial<News> = {}): News => ({
  event: "Ab3dEf6hIj9lMn2pQr5tUv.0",
  type: "BuildStarted",
  at: at(95),
  stream: `deployment/${deploymentId(7)}`,
  version: 2,
  position: "001795435295000",
  site: "web",
  environment: "production",
  deployment: deploymentId(7),
  sequence: 7,
  status: { before: "queued", after: "building" },
  live: { before: live(6), after: live(6) },
  flip: null,
  replaced: null,
  actor: "ada (token default)",
  commit: { sha: "0123abc4567", message: "Fix the <header> & the footer\n\nIt was broken.", author: "Ada Lovelace", branch: "main" },
  reason: null,
  step: null,
  durationMs: 95_000,
  url: "https://web.example.com",
  lastLines: [],
  next: `shiplog events ${deploymentId(7)} --follow`,
  ...change,
});

const moved = { before: live(6), after: live(7) };
const status = (before: string | null, after: string): Pick<News, "status"> => ({ status: { before, after } });
const ofPlace: Partial<News> = {
  stream: "environment/web/production",
  status: null,
  deployment: null,
  sequence: null,
  commit: null,
  durationMs: null,
};

/** One of each that Slack is told, by the name of its golden file. */
export const everyNews: Readonly<Record<string, News>> = {
  queued: news({ type: "DeploymentQueued", ...status(null, "queued"), durationMs: 0, reason: null }),
  building: news(),
  built: news({ type: "BuildSucceeded", ...status("building", "built") }),
  deploying: news({ type: "ReleaseStarted", ...status("built", "deploying") }),
  held: news({
    type: "DeploymentHeld",
    ...status("deploying", "held"),
    reason: "the environment is pinned",
    next: "shiplog unpin web/production",
  }),
  cancelling: news({ type: "CancelRequested", ...status("building", "cancelling"), reason: "wrong branch" }),
  success: news({
    type: "DeploymentSucceeded",
    ...status("deploying", "success"),
    live: moved,
    next: `shiplog rollback ${deploymentId(6)}`,
  }),
  "failed-build": news({
    type: "DeploymentFailed",
    ...status("building", "failed"),
    step: "build",
    reason: "the build failed in BUILD: exit status 1",
    lastLines: ["> next build", "Type error: Type 'string' is not assignable to type '<!channel> & number'.", "```", "npm error code 1"],
    next: `shiplog inspect ${deploymentId(7)}`,
  }),
  "failed-checks": news({
    type: "DeploymentFailed",
    ...status("deploying", "failed"),
    step: "check",
    reason: "the server answered 500 to /",
    next: `shiplog inspect ${deploymentId(7)}`,
  }),
  cancelled: news({
    type: "DeploymentCancelled",
    ...status("cancelling", "cancelled"),
    reason: "wrong branch",
    next: `shiplog retry ${deploymentId(7)}`,
  }),
  superseded: news({
    type: "DeploymentSuperseded",
    ...status("built", "superseded"),
    reason: `${deploymentId(8)} (sequence 8) is newer`,
    next: "shiplog status web/production",
  }),
  rollback: news({
    type: "ReleaseWentLive",
    ...ofPlace,
    deployment: deploymentId(6),
    sequence: 8,
    flip: "rollback",
    live: { before: live(7), after: { deployment: deploymentId(6), sequence: 8 } },
    commit: { sha: "89abcde0123", message: "Speed the menu up", author: "Ben" },
    replaced: { ...live(7), commit: { sha: "0123abc4567", message: "Fix the <header> & the footer", author: "Ada Lovelace" } },
    reason: "the checkout answers 500",
    next: "shiplog unpin web/production",
  }),
  pinned: news({ type: "EnvironmentPinned", ...ofPlace, reason: "rolled back: broken checkout", next: "shiplog unpin web/production" }),
  unpinned: news({ type: "EnvironmentUnpinned", ...ofPlace, next: "shiplog status web/production" }),
  locked: news({ type: "EnvironmentLocked", ...ofPlace, reason: "moving the database", next: "shiplog unlock web/production" }),
  unlocked: news({ type: "EnvironmentUnlocked", ...ofPlace, next: "shiplog status web/production" }),
  "flip-failed": news({
    type: "FlipFailed",
    ...ofPlace,
    deployment: deploymentId(7),
    sequence: 7,
    flip: "deploy",
    reason: "a version is gone",
    next: "shiplog status web/production",
  }),
  "drift-ended": news({
    type: "AliasDriftEnded",
    ...ofPlace,
    reason: "shiplog-web-production-server: version 6 again",
    next: "shiplog status web/production",
  }),
  drift: news({
    type: "AliasDriftDetected",
    ...ofPlace,
    reason: "shiplog-web-production-server: expected version 6, found 9",
    next: "shiplog status web/production",
  }),
  "edge-drift": news({
    type: "EdgeDriftDetected",
    ...ofPlace,
    reason: "#7: by hand",
    next: "shiplog status web/production",
  }),
  "edge-drift-ended": news({
    type: "EdgeDriftEnded",
    ...ofPlace,
    reason: "#7 again",
    next: "shiplog status web/production",
  }),
  test: news({
    type: "WebhookTest",
    ...ofPlace,
    reason: "Somebody tries this endpoint out. Nothing was deployed.",
    live: { before: null, after: null },
  }),
};
