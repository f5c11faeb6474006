/** What a process remembers of the streams that it used last. What it has may be old: whoever takes it checks that. */
export type Memory<T> = {
  get(stream: string): T | undefined;
  set(stream: string, known: T): void;
  forget(stream: string): void;
};

/** Remembers so many, those that were used last. */
export const lastUsed = <T>(most: number): Memory<T> => {
  const all = new Map<string, T>();
  return {
    get(stream) {
      const known = all.get(stream);
      if (known === undefined) return undefined;
      all.delete(stream);
      all.set(stream, known);
      return known;
    },
    set(stream, known) {
      all.delete(stream);
      all.set(stream, known);
      for (const [oldest] of all) {
        if (all.size <= most) return;
        all.delete(oldest);
      }
    },
    forget: (stream) => void all.delete(stream),
  };
};
