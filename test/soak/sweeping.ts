import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { GRACE_MS } from "../../engine/edge/grace.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { wire as endRelease } from "../../services/end-release/handler.ts";
import type { PartsWorld } from "../support/parts-world.ts";

/** Asks for sweeps until it is told to stop; answers what was swept. */
export type Sweeping = { stop(): Promise<{ releases: number; bytes: number }> };

const EVERY_MS = 5_000;

/** Every few seconds each environment's ended releases lose their addresses, and its sweep goes a step further. */
export const sweeping = ({ engineOf }: PartsWorld, environments: readonly string[], round: () => Promise<void>): Sweeping => {
  const engine = engineOf("soak");
  let stopped = false;
  const rounds = (async () => {
    while (!stopped) {
      for (const environment of environments) {
        await removeAddresses(engine, environment);
        await engine.queues.send(
          "sweep",
          JSON.stringify({ site: "web", environment, actor: "soak", cause: `soak/${environment}/${Date.now()}` }),
        );
      }
      await round();
      await engine.clock.sleep(EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await rounds;
      const ended = (await Promise.all(environments.map((environment) => engine.events(environmentStream("web", environment)))))
        .flat()
        .filter((event): event is Recorded & Ended => event.type === "SweepEnded");
      return {
        releases: ended.reduce((sum, { body }) => sum + body.releases, 0),
        bytes: ended.reduce((sum, { body }) => sum + body.bytes, 0),
      };
    },
  };
};
type Ended = Extract<EnvironmentEvent, { type: "SweepEnded" }>;

/** As if the time were over in which an edge may still have a row: a soak is shorter than that. */
const removeAddresses = async (engine: Engine, environment: string): Promise<void> => {
  const { state } = await engine.aggregates.environment.load("web", environment);
  const left = new Set([...state.routes].flatMap(([release, { ended }]) => (ended === null ? [] : [release])));
  const later = { ...engine, clock: { ...engine.clock, now: () => engine.clock.now() + GRACE_MS + 60_000 } };
  for await (const event of left.size === 0 ? [] : engine.back(environmentStream("web", environment))) {
    if (event.type !== "ReleaseEnded" || !left.delete(String((event.body as { release?: string }).release))) continue;
    const body = JSON.stringify({ version: "0", source: "shiplog.environment", "detail-type": event.type, detail: event });
    const record = { messageId: event.id, receiptHandle: "none", body, attributes: { ApproximateReceiveCount: "1" } };
    const handler = endRelease(later);
    await handler({ Records: [record] } as unknown as Parameters<typeof handler>[0]);
    if (left.size === 0) return;
  }
};

/** Megabytes of a folder on disk. */
export const sizeOf = async (folder: string): Promise<number> => {
  const { stdout } = await promisify(execFile)("du", ["-sk", folder]).catch(({ stdout }: { stdout: string }) => ({ stdout }));
  return Number.parseInt(stdout, 10) / 1_024;
};
