/** What one of the two worlds has, in the words of both: AWS as it is declared, and this machine as it was made. */
export type World = {
  readonly queues: Readonly<Record<string, Queue>>;
  readonly rules: Readonly<Record<string, unknown>>;
  readonly tables: Readonly<Record<string, unknown>>;
  readonly buckets: readonly string[];
  readonly siteFunctions: Readonly<Record<string, unknown>>;
};

export type Queue = {
  readonly fifo: boolean;
  readonly visibilitySeconds: number | null;
  readonly retentionSeconds: number;
  readonly deadLetters: string | null;
  readonly maxReceives: number | null;
};
