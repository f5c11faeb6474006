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
  "ReleaseWentLive",
  "FlipFailed",
  "AliasDriftDetected",
  "AliasDriftEnded",
  "EnvironmentPinned",
  "EnvironmentUnpinned",
  "EnvironmentLocked",
  "EnvironmentUnlocked",
] as const;

/** What came of it: live, failed, held, rolled back, pinned, locked, drift, and the way out of these. */
export const outcomeTypes = [
  "DeploymentHeld",
  "DeploymentFailed",
  "ReleaseWentLive",
  "FlipFailed",
  "AliasDriftDetected",
  "AliasDriftEnded",
  "EnvironmentPinned",
  "EnvironmentUnpinned",
  "EnvironmentLocked",
  "EnvironmentUnlocked",
] as const satisfies readonly (typeof notableTypes)[number][];
