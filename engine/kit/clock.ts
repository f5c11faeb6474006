/** Time and chance as an argument: a test or a simulation gives its own. */
export type Clock = {
  /** milliseconds since 1970 */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** in [0, 1) */
  random(): number;
};

/** Time and chance as the machine has them. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: () => Math.random(),
};
