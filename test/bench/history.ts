import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { SNAPSHOTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { environment } from "../../domain/environment/decider.ts";
import { readEnvironmentEvent } from "../../domain/environment/events.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { type Aggregates, aggregates } from "../../engine/log/execute.ts";
import { lastUsed } from "../../engine/log/memory.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { WAYPOINT_EVERY, waypointNotes } from "../../engine/views/waypoint-notes.ts";
import { environmentPast } from "../../services/api/environment-past.ts";
import { environmentHistory } from "./histories.ts";
import { BEGINNING, type Cost, counting, writeCommits } from "./long-past.ts";
import type { Line } from "./report.ts";
import { withStore } from "./room.ts";

/** Finished deployments of one environment; each leaves seven commits. */
const DEPLOYMENTS = [10, 100, 1_000, 10_000];
const COMMITS = 7;
const LOADS = 10;
const STREAM = environmentStream("web", "production");
const NEWEST = 9_999_999_999;

/**
 * What a load and a decision cost after ten deployments and after ten thousand: read units and requests are counted, so that they
 * say the same on each machine. *Whole* is what each command did before there were snapshots.
 */
export const history = (): Promise<readonly Line[]> =>
  withStore(async ({ clients, table }) => {
    const { dynamodb } = clients;
    const counted = counting(dynamodb);
    const store = eventStore(dynamodb, table);
    const process = (): Aggregates =>
      aggregates({
        store,
        snapshots: snapshotTable(dynamodb, SNAPSHOTS_TABLE),
        every: 32,
        memoryOf: () => lastUsed(64),
        clock: systemClock,
        log: (line) => console.error(JSON.stringify(line)),
      });
    const snapshots = snapshotTable(dynamodb, SNAPSHOTS_TABLE);
    const past = environmentPast({ read: store.read, views: waypointNotes(DynamoDBDocumentClient.from(dynamodb), VIEWS_TABLE) });
    const events = environmentHistory((DEPLOYMENTS.at(-1) ?? 0) * COMMITS);
    const lines: Line[] = [];
    const costs: Record<string, Cost>[] = [];
    for (const [n, deployments] of DEPLOYMENTS.entries()) {
      const [last] = await store.readBack(STREAM, NEWEST, 1);
      await writeCommits(dynamodb, table, STREAM, last, events.slice((DEPLOYMENTS[n - 1] ?? 0) * COMMITS, deployments * COMMITS));
      const engine = process();
      // as if it had had snapshots from its beginning: every cause has its row
      while (((await snapshots.newest(STREAM, environment.shape))?.version ?? 0) < deployments * COMMITS)
        await decide(engine, `${deployments}/${Math.random()}`);
      // as its projection leaves waypoints
      await past.upTo(STREAM, positionAt(BEGINNING + deployments * COMMITS));
      const cost = {
        whole: await counted(3, async () => {
          fold(environment, (await store.load(STREAM)).commits.flatMap(eventsOf).map(readEnvironmentEvent));
        }),
        cold: await counted(LOADS, () => process().environment.load("web", "production")),
        warm: await counted(LOADS, () => engine.environment.load("web", "production")),
        decision: await counted(LOADS, (time) => decide(engine, `${deployments}/decision/${time}`)),
        moment: await counted(LOADS, (time) => past.upTo(STREAM, momentIn(deployments * COMMITS, (time + 0.5) / LOADS))),
      };
      costs.push(cost);
      for (const [what, { ms, units, requests }] of Object.entries(cost))
        lines.push({
          bench: "history",
          what: `${NAMES[what]}, ${deployments.toLocaleString("en")} deployments`,
          value: ms,
          unit: "ms",
          note: `${units.toLocaleString("en")} read units, ${requests} requests`,
        });
    }
    for (const what of ["cold", "warm", "decision", "moment"])
      lines.push({
        bench: "history",
        what: `read units of ${NAMES[what]}, 10,000 ÷ 10 deployments`,
        value: (costs.at(-1)?.[what]?.units ?? 0) / (costs[0]?.[what]?.units ?? 1),
        unit: "×",
        target: { is: "at most", value: 1.1 },
      });
    return lines;
  });

const NAMES: Readonly<Record<string, string>> = {
  whole: "a stream read and folded whole",
  cold: "a load by a process that has just begun",
  warm: "a load by one that saw the stream before",
  decision: "a decision by one that saw it before",
  moment: "an environment as of a moment",
};

/** Of the last whole way between two waypoints, a part. */
const momentIn = (commits: number, part: number): string => {
  const begin = Math.max(0, Math.floor(commits / WAYPOINT_EVERY) - 1) * WAYPOINT_EVERY;
  return positionAt(BEGINNING + begin + Math.floor(part * Math.min(WAYPOINT_EVERY, commits)));
};

/** The least that a command may do: its event changes nothing. */
export const decide = async (engine: Aggregates, cause: string): Promise<void> => {
  const command = { type: "RecordVariablesRead", names: ["BENCH"] } as const;
  await engine.environment.execute("web", "production", command, { cause, correlation: cause, actor: "bench" });
};
