import { Worker } from "node:worker_threads";

/** An address that is asked for again and again. */
export type Target = {
  readonly kind: string;
  readonly path: string;
  /** what it answered when it was found: a page that is a 404 from the start does not fail by being one */
  readonly status: number;
};
export type LoadPlan = { readonly url: string; readonly targets: readonly Target[]; readonly perSecond: number };

/** One answer, or none: then `error` says why. */
export type Answer = {
  readonly kind: string;
  readonly path: string;
  /** milliseconds since 1970, when the request was begun */
  readonly start: number;
  readonly ms: number;
  /** 0 where there was no answer */
  readonly status: number;
  /** the status that this address had when it was found */
  readonly expected: number;
  /** the release and sequence that the edge says it came from */
  readonly release: string | null;
  readonly sequence: number;
  /** the release that the page itself says it came from */
  readonly named: string | null;
  readonly error: string | null;
};

export type Load = {
  readonly answers: readonly Answer[];
  /** waits for what is under way */
  stop(): Promise<readonly Answer[]>;
  /** at once, and forgets what is under way */
  abandon(): Promise<void>;
};

/** Puts a steady load on a site from a thread of its own, so that neither starves the other. */
export const startLoad = (plan: LoadPlan): Load => {
  const answers: Answer[] = [];
  const worker = new Worker(new URL("./load-worker.ts", import.meta.url), { workerData: plan });
  const over = new Promise<void>((resolve, reject) => {
    worker.on("message", (told: readonly Answer[] | "done") => {
      if (told === "done") resolve();
      else answers.push(...told);
    });
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
  over.catch(() => undefined);
  return {
    answers,
    stop: async () => {
      worker.postMessage("stop");
      await over;
      await worker.terminate();
      return answers;
    },
    abandon: async () => void (await worker.terminate()),
  };
};
