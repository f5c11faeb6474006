const MINUTE = 60_000;

/** After this long without a step, in milliseconds, a deployment is late: what should have led on is sent again, and then ever less often; every reaction to it is idempotent. */
export const NUDGE_MS = {
  row: MINUTE,
  queued: MINUTE,
  building: MINUTE,
  built: 2 * MINUTE,
  deploying: 12 * MINUTE,
  cancelling: MINUTE,
} as const;
/** After this long it has failed: what failed by an hour's outage has come again by then and is tried no more. */
export const DEADLINE_MS = { queued: 120 * MINUTE, built: 100 * MINUTE, deploying: 100 * MINUTE } as const;
/** Beyond the build's own time limit, for it to be queued and to say that it ended. */
export const BUILD_GRACE_MS = 15 * MINUTE;
/** The build's own time limit where its site declares none. */
export const BUILD_TIMEOUT_MINUTES = 20;
