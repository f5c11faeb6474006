import { setTimeout as sleep } from "node:timers/promises";
import { type Api, isPassing } from "./api.ts";
import type { Story } from "./deployment-story.ts";
import type { LoggedEvent } from "./event-facts.ts";
import { CliError } from "./failure.ts";

/** How a watch over a deployment ended. `timeout` and `interrupted` say that we stopped looking; the deployment goes on. */
export type Ending = {
  readonly is: "success" | "failed" | "cancelled" | "superseded" | "held" | "timeout" | "interrupted";
  /** version of the deployment's stream that was read */
  readonly version: number;
};

const POLL_MS = 300;
const LOG_POLL_MS = 1_000;
const LOG_STEP_MS = 50;
/** So long the build's end waits for the build's output, which is told before it. */
const LOG_AHEAD_MS = 500;
/** So long after the last line another one may come. */
const LOG_LATE_MS = 3_000;
const LOG_LAST_MS = 20_000;
/** How long the engine may be silent before a watch gives up. */
const PATIENCE_MS = 60_000;

const ENDS: Readonly<Record<string, Ending["is"]>> = {
  DeploymentSucceeded: "success",
  DeploymentFailed: "failed",
  DeploymentCancelled: "cancelled",
  DeploymentSuperseded: "superseded",
};

/** What a deployment's events say about its end; `undefined` while it goes on. */
export const endOf = (events: readonly LoggedEvent[]): Ending["is"] | undefined => {
  for (const event of events) if (ENDS[event.type] !== undefined) return ENDS[event.type];
  return events.at(-1)?.type === "DeploymentHeld" ? "held" : undefined;
};

/**
 * Reads a deployment's stream until it ends, and tells what it reads.
 * @param stop aborted by Ctrl-C
 * @param timeoutMs counted from now; without it the engine's own deadlines end the deployment
 * @param pastHeld go on where the deployment is held
 */
export async function followDeployment(
  api: Api,
  id: string,
  story: Story,
  { stop, timeoutMs, pastHeld = false }: { stop: AbortSignal; timeoutMs: number | undefined; pastHeld?: boolean },
): Promise<Ending> {
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  const logs = buildLogs(api, id, story);
  let version = 0;
  let phase = "";
  let isAway = false;

  try {
    for (let heard = Date.now(); ; ) {
      try {
        const page = await api.deploymentEvents(id, version);
        heard = Date.now();
        version = page.version;
        for (const event of page.events) {
          if (event.type === "BuildStarted") logs.begin();
          if (event.type === "BuildSucceeded" || event.type === "BuildFailed") await logs.catchUp();
          story.event(event);
          phase = event.type;
        }
        const is = endOf(page.events);
        if (is !== undefined && !(is === "held" && pastHeld)) {
          if (is === "failed") await logs.finish();
          else if (logs.behind()) story.moreOutput(id);
          return { is, version };
        }
        if (phase === "ReleaseStarted" || phase === "AssetsPublished") {
          const { progress } = await api.deployment(id);
          if (progress !== null) story.progress(progress);
        }
        logs.throwIfFailed();
        isAway = false;
        story.tick();
      } catch (error) {
        if (!isPassing(error) || Date.now() - heard > PATIENCE_MS) throw error;
        if (!isAway) story.lost();
        isAway = true;
      }
      if (Date.now() >= deadline) return { is: "timeout", version };
      await sleep(Math.max(1, Math.min(POLL_MS, deadline - Date.now())), undefined, { signal: stop });
    }
  } catch (error) {
    if (stop.aborted) return { is: "interrupted", version };
    throw error;
  } finally {
    logs.stop();
    story.close();
  }
}

/**
 * The build's output, read side by side with the events: however long it is, no event waits for it. It is an extra: where
 * it cannot be read, the deployment is followed all the same.
 */
function buildLogs(api: Api, id: string, story: Story) {
  const stopping = new AbortController();
  const { signal } = stopping;
  let next: string | undefined;
  let reading: Promise<void> | undefined;
  let done = false;
  /** nothing was there at the last look */
  let quiet = false;
  let heard = Date.now();
  let failure: { readonly error: unknown } | undefined;

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  const page = async (): Promise<void> => {
    const { lines, ...found } = await api.logs(id, next);
    if (signal.aborted) return;
    for (const line of lines) story.log(line);
    if (lines.length > 0) heard = Date.now();
    quiet = lines.length === 0;
    done = found.done;
    next = found.next ?? next;
  };
  const read = async (): Promise<void> => {
    while (!done && !signal.aborted) {
      await page().catch((error: unknown) => {
        if (!(error instanceof CliError)) throw error;
        quiet = true;
      });
      if (quiet) await pause(LOG_POLL_MS);
    }
  };
  const wait = async (over: () => boolean): Promise<void> => {
    while (reading !== undefined && failure === undefined && !done && !over() && !signal.aborted)
      await Promise.race([reading, pause(LOG_STEP_MS)]);
  };

  return {
    begin: (): void => {
      reading ??= read().catch((error: unknown) => {
        failure = { error };
      });
    },
    stop: (): void => stopping.abort(),
    /** What broke while it was read, where that was more than an answer that did not come. */
    throwIfFailed: (): void => {
      if (failure !== undefined) throw failure.error;
    },
    /** It was not read to its end. */
    behind: (): boolean => reading !== undefined && !done && !quiet,
    /** A short log is shown before the step that follows it. */
    catchUp: (): Promise<void> => {
      const until = Date.now() + LOG_AHEAD_MS;
      return wait(() => Date.now() >= until);
    },
    /** The last lines say why it failed, and may come after the build's end: waits while there are more, and a moment longer. */
    finish: (): Promise<void> => {
      const until = Date.now() + LOG_LAST_MS;
      heard = Date.now();
      return wait(() => Date.now() >= Math.min(until, heard + LOG_LATE_MS));
    },
  };
}
