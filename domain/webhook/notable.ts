/** What changes an environment, or says that somebody did. */
const ofEnvironment = [
  "ReleaseWentLive",
  "FlipFailed",
  "AliasDriftDetected",
  "AliasDriftEnded",
  "EdgeDriftDetected",
  "EdgeDriftEnded",
  "EnvironmentPinned",
  "EnvironmentUnpinned",
  "EnvironmentLocked",
  "EnvironmentUnlocked",
] as const;

/** Events that change the status of a deployment or of an environment: what an endpoint hears of. */
export const notableTypes = [
  "DeploymentQueued",
  "BuildStarted",
  "BuildSucceeded",
  "ReleaseStarted",
  "DeploymentHeld",
  "FlipStarted",
  "CancelRequested",
  "DeploymentSucceeded",
  "DeploymentFailed",
  "DeploymentCancelled",
  "DeploymentSuperseded",
  ...ofEnvironment,
] as const;

/** What came of it: live, failed, held, rolled back, pinned, locked, drift, and the way out of these. */
export const outcomeTypes = [
  "DeploymentHeld",
  "DeploymentFailed",
  ...ofEnvironment,
] as const satisfies readonly (typeof notableTypes)[number][];
