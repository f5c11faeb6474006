/** What makes one of several messages of a batch, where they say the same. */
export type Together<T> = {
  /** messages with the same one are handled as one */
  key(message: T): string;
  /** a message that says all that these say */
  merge(messages: readonly [T, ...T[]]): T;
};

/** Handles those of a batch that belong together once, and each of them has the outcome. */
export const handledTogether = <T, D>(
  { key, merge }: Together<T>,
  batch: readonly T[],
  handle: (message: T, delivery: D) => Promise<void>,
): ((message: T, delivery: D) => Promise<void>) => {
  const groups = Map.groupBy(batch, key);
  const running = new Map<string, Promise<void>>();
  return (message, delivery) => {
    const name = key(message);
    const [first = message, ...rest] = groups.get(name) ?? [];
    const run = running.get(name) ?? handle(merge([first, ...rest]), delivery);
    running.set(name, run);
    return run;
  };
};
