import { type Consumer, consumers } from "../../../blueprint/topology.ts";
import { matchesPattern, parsePattern } from "../../../local/endpoint/event-pattern.ts";
import type { World } from "../world/world.ts";
import type { About, Queues } from "./queues.ts";

const rules = (consumers as readonly Consumer[]).flatMap(({ name, bus, pattern }) =>
  pattern === null ? [] : [{ name, bus, pattern: parsePattern(JSON.stringify(pattern)) }],
);
const routes = new Map<string, readonly string[]>();

/** The consumers whose rule takes this event. Rules look at source and type alone, besides the project of a build. */
const routeOf = (bus: Consumer["bus"], event: { source: string; "detail-type": string; detail?: object }): readonly string[] => {
  const key = `${bus} ${event.source} ${event["detail-type"]}`;
  const known = routes.get(key) ?? rules.filter((rule) => rule.bus === bus && matchesPattern(rule.pattern, event)).map(({ name }) => name);
  routes.set(key, known);
  return known;
};

/** What is younger may still be on its way to the bus by itself. */
const SLOW_MS = 30_000;

export type Bus = ReturnType<typeof busOf>;

/** The buses and their rules: at least once, in no order, and now and then very late. */
export const busOf = (world: World, queues: Queues) => {
  const { faults } = world;
  const lateness = (): number => {
    if (!faults.strikes("delay")) return world.latency();
    return world.random.spread(2_000, 14 * 86_400_000);
  };
  const put = (
    bus: Consumer["bus"],
    event: { source: string; "detail-type": string; detail?: object },
    body: string,
    about?: About,
  ): void => {
    for (const queue of routeOf(bus, event)) {
      const times = faults.strikes("duplicate") ? 2 : 1;
      for (let time = 0; time < times; time++) queues.send(queue, body, lateness(), about);
    }
  };
  const published = new Set<string>();
  const again: string[] = [];
  return {
    /** ids of the events that got onto the engine's bus */
    published: published as ReadonlySet<string>,
    /** what the reconciler had to send */
    again: again as readonly string[],
    /** One entry of PutEvents; `false` where it did not get onto the bus. */
    putEntry: ({
      Source = "",
      DetailType = "",
      Detail = "",
    }: {
      Source?: string | undefined;
      DetailType?: string | undefined;
      Detail?: string | undefined;
    }): boolean => {
      if (faults.strikes("partial-put")) return false;
      const { id, stream, version, type, at } = JSON.parse(Detail) as About & { id: string; at: string };
      // what has ended is told again once its grace is over
      const isDue = type === "ReleaseEnded";
      if (!isDue && world.acting()?.name === "reconcile" && world.now() - Date.parse(at) > SLOW_MS) again.push(`${type} of ${stream}`);
      published.add(id);
      const body = `{"source":${JSON.stringify(Source)},"detail-type":${JSON.stringify(DetailType)},"detail":${Detail}}`;
      put("engine", { source: Source, "detail-type": DetailType }, body, { stream, version, type });
      return true;
    },
    /** What an AWS service says on the account's own bus. */
    say: (event: { source: string; "detail-type": string; detail: object }): void => put("default", event, JSON.stringify(event)),
  };
};
