import { Worker } from "node:worker_threads";

export type Target = { readonly kind: string; readonly path: string };
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
  /** the release and sequence that the edge says it came from */
  readonly release: string | null;
  readonly sequence: number;
  /** the release that the page itself says it came from */
  readonly named: string | null;
  readonly error: string | null;
};

export type Load = { readonly answers: readonly Answer[] /** waits for what is under way */; stop(): Promise<readonly Answer[]> };

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
  };
};

/** What every kind of route looks like in the example app; of another app, those that it has. */
const KNOWN: readonly Target[] = [
  { kind: "static", path: "/" },
  { kind: "ssr", path: "/ssr" },
  { kind: "isr", path: "/isr" },
  { kind: "dynamic", path: "/products/1" },
  { kind: "api", path: "/api/hello" },
  { kind: "image", path: "/_next/image?url=%2Fharbour.png&w=640&q=75" },
  { kind: "file", path: "/release.txt" },
  { kind: "file", path: "/robots.txt" },
];

/** The addresses of a live site that answer well, the chunks that its home page names among them. */
export const findTargets = async (url: string): Promise<Target[]> => {
  const home = await (await fetch(url)).text();
  const chunks = [
    ...new Set([...home.matchAll(/(?:src|href)="(\/_next\/static\/[^"]+)"/g)].map(([, path = ""]) => path.replaceAll("&amp;", "&"))),
  ];
  const candidates = [...KNOWN, ...chunks.slice(0, 4).map((path) => ({ kind: "asset", path }))];
  const good = await Promise.all(
    candidates.map(async ({ path }) => {
      const answer = await fetch(new URL(path, url), { redirect: "manual" });
      await answer.arrayBuffer();
      return answer.ok;
    }),
  );
  return candidates.filter((_, index) => good[index]);
};
