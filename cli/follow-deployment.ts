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

  try {
    for (let heard = Date.now(); ; ) {
      try {
        const page = await api.deploymentEvents(id, version);
        heard = Date.now();
        version = page.version;
        for (const event of page.events) {
          if (event.type === "BuildSucceeded" || event.type === "BuildFailed") await logs.read();
          story.event(event);
          phase = event.type;
        }
        const is = endOf(page.events);
        if (is !== undefined && !(is === "held" && pastHeld)) {
          if (is === "failed") await logs.finish();
          return { is, version };
        }
        if (phase === "BuildStarted" || phase === "CancelRequested") await logs.readWhenDue();
        if (phase === "ReleaseStarted" || phase === "AssetsPublished") {
          const { progress } = await api.deployment(id);
          if (progress !== null) story.progress(progress);
        }
        story.tick();
      } catch (error) {
        if (!isPassing(error) || Date.now() - heard > PATIENCE_MS) throw error;
        story.lost();
      }
      if (Date.now() >= deadline) return { is: "timeout", version };
      await sleep(Math.max(1, Math.min(POLL_MS, deadline - Date.now())), undefined, { signal: stop });
    }
  } catch (error) {
    if (stop.aborted) return { is: "interrupted", version };
    throw error;
  } finally {
    story.close();
  }
}

/** The build's output, page by page. It is an extra: where it cannot be read, the deployment is followed all the same. */
function buildLogs(api: Api, id: string, story: Story) {
  let next: string | undefined;
  let done = false;
  let readAt = 0;

  const read = async (): Promise<void> => {
    readAt = Date.now();
    try {
      for (let more = true; more && !done; ) {
        const page = await api.logs(id, next);
        for (const line of page.lines) story.log(line);
        more = page.lines.length > 0 && page.next !== null;
        next = page.next ?? next;
        done = page.done;
      }
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
    }
  };

  return {
    read,
    readWhenDue: async () => (Date.now() - readAt >= LOG_POLL_MS ? read() : undefined),
    /** The last lines may come after the build's end: waits for them for a moment. */
    finish: async () => {
      for (const until = Date.now() + 3_000; !done && readAt > 0 && Date.now() < until; await sleep(POLL_MS)) await read();
    },
  };
}
