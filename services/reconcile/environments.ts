import { environment as decider } from "../../domain/environment/decider.ts";
import { type EnvironmentEvent, readEnvironmentEvent } from "../../domain/environment/events.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { AliasState } from "../aws/functions.ts";
import type { Aggregates } from "../kit/execute.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "environment">;
  events(stream: string): Promise<readonly Recorded[]>;
  publish(events: readonly Recorded[]): Promise<void>;
  alias(fn: string): Promise<AliasState | undefined>;
  /** whether there is a row of it: without one, nothing else looks after it */
  isProjected(deploymentId: string): Promise<boolean>;
  now(): number;
};

const MINUTE = 60_000;
const NUDGE_MS = 2 * MINUTE;
const FLIP_DEADLINE_MS = 40 * MINUTE;
/** Older requests are left to people. */
const REMEMBERED_MS = 24 * 60 * MINUTE;
const ACTOR = "shiplog reconcile";

/** Keeps one environment true: ends locks, sends lost flips again, and looks whether each alias is where it was put. */
export const reconcileEnvironment =
  (ports: Ports) =>
  async (site: string, name: string): Promise<void> => {
    const stream = environmentStream(site, name);
    const history = (await ports.events(stream)).map(
      (event) => ({ ...event, ...readEnvironmentEvent(event) }) as Recorded<EnvironmentEvent>,
    );
    const state = fold(decider, history);
    const at = new Date(ports.now()).toISOString();
    const record = (command: Parameters<Aggregates["environment"]["execute"]>[2], cause: string) =>
      ports.aggregates.environment.execute(site, name, command, { cause: `reconcile/${cause}`, correlation: stream, actor: ACTOR });

    if (state.lock?.until && state.lock.until <= at) await record({ type: "ExpireLock", at }, `lock/${state.lock.until}`);
    await requests();
    await openFlips();
    await edge();
    if (state.open.size === 0) await drift();

    /** Requests of which nobody heard: neither was their deployment told to begin nor is it in any list. */
    async function requests(): Promise<void> {
      for (const event of history) {
        if (event.type !== "DeploymentAdmitted" || !state.pending.has(event.body.deploymentId)) continue;
        const age = ports.now() - Date.parse(event.at);
        if (age < NUDGE_MS || age > REMEMBERED_MS || (await ports.isProjected(event.body.deploymentId))) continue;
        const queued = await ports.events(deploymentStream(event.body.deploymentId));
        await ports.publish(queued.length === 0 ? [event] : queued);
      }
    }

    async function openFlips(): Promise<void> {
      for (const event of history) {
        if (event.type !== "FlipRequested" || !state.open.has(event.body.sequence)) continue;
        const { sequence, release } = event.body;
        const age = ports.now() - Date.parse(event.at);
        if (age > FLIP_DEADLINE_MS) {
          const fences = await Promise.all(release.functions.map(async (fn) => (await ports.alias(fn.name))?.description ?? ""));
          const moved = fences.some((description) => description.startsWith(`seq=${sequence} `));
          const reason = "it did not end within 40 minutes; see the dead letters with: shiplog events --quarantine";
          await record({ type: "RecordFlipFailed", sequence, reason, moved }, `flip/${sequence}`);
        } else if (age > NUDGE_MS) await ports.publish([event]);
      }
    }

    /** The edge was never told of what is live. */
    async function edge(): Promise<void> {
      const live = state.live;
      if (live === null || state.invalidated >= live.sequence) return;
      const event = history.findLast((event) => event.type === "ReleaseWentLive");
      if (event !== undefined && ports.now() - Date.parse(event.at) > NUDGE_MS) await ports.publish([event]);
    }

    async function drift(): Promise<void> {
      for (const [fn, expected] of state.aliases) {
        const found = await ports.alias(fn);
        if (found !== undefined && found.version === expected.version && found.description.startsWith(`seq=${expected.sequence} `))
          continue;
        const seen = found === undefined ? null : { version: found.version, description: found.description };
        await record({ type: "RecordDrift", function: fn, expected, found: seen }, `drift/${fn}/${found?.revisionId ?? "none"}`);
      }
    }
  };
