/** For how long, at the most, an edge may go on with rows as they were: usually it has a change within seconds. */
export const GRACE_MS = 10 * 60_000;
