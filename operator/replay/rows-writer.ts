import { BATCH, type Item } from "../../engine/views/view-items.ts";

/** Writes rows in batches, several at once. A row is never in two batches at once: the newer one would not be sure to win. */
export const rowsWriter = (write: (items: readonly Item[]) => Promise<void>, width: number) => {
  let waiting = new Map<string, Item>();
  const underWay = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const keyOf = ({ pk, sk }: Item): string => `${pk?.S} ${sk?.S}`;
  const start = (): void => {
    const batch = waiting;
    waiting = new Map();
    const writing = write([...batch.values()])
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        running.delete(writing);
        for (const key of batch.keys()) underWay.delete(key);
      });
    running.add(writing);
    for (const key of batch.keys()) underWay.set(key, writing);
  };
  const throwIfFailed = (): void => {
    if (failure !== undefined) throw failure.error;
  };

  return {
    /** Resolves when there is room for more; the row may not be written yet. */
    put: async (item: Item): Promise<void> => {
      throwIfFailed();
      const key = keyOf(item);
      await underWay.get(key);
      waiting.set(key, item);
      if (waiting.size >= BATCH) start();
      while (running.size >= width) await Promise.race(running);
      throwIfFailed();
    },
    /** Resolves when every row that was put is written. */
    drain: async (): Promise<void> => {
      if (waiting.size > 0) start();
      while (running.size > 0) await Promise.all(running);
      throwIfFailed();
    },
  };
};
