/** Does something with every entry, at most `width` at a time. The first fault ends it; what is under way is awaited. */
export const each = async <T>(list: readonly T[], width: number, act: (entry: T) => Promise<void>): Promise<void> => {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < list.length && !failed) {
      const entry = list[next++] as T;
      try {
        await act(entry);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(width, list.length) }, worker));
  for (const outcome of workers) if (outcome.status === "rejected") throw outcome.reason;
};
