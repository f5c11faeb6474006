import type { SQSEvent } from "aws-lambda";
import { type Consumer, consumers, queueMaxReceives, schedules, visibilitySeconds } from "../../../blueprint/topology.ts";
import { MAX_WAIT_MS } from "../../../engine/views/waiting-rows.ts";
import type { Cloud } from "../aws/cloud.ts";
import type { Message } from "../aws/queues.ts";
import { here } from "../world/world.ts";
import { handlers, reconcileAll, wakeAll } from "./engine.ts";

/** Batches of one consumer at once. */
const CONCURRENCY = 4;
const declared = new Map((consumers as readonly Consumer[]).map((consumer) => [consumer.name as string, consumer]));

export type Mappings = ReturnType<typeof mappingsOf>;

/** Lambda's event source mappings: hand over what is visible, take away what was dealt with. */
export const mappingsOf = (cloudOfWorld: () => Cloud, acknowledged: (consumer: string, message: Message) => void) => {
  const busy = new Map<string, number>();
  const held = new Map<Message, number>();

  const poll = (name: string): void => {
    const { world, queues } = cloudOfWorld();
    const consumer = declared.get(name) as Consumer;
    const now = busy.get(name) ?? 0;
    if (now >= (consumer.concurrency ?? CONCURRENCY)) return;
    const messages = queues.receive(name, consumer.batchSize, visibilitySeconds(consumer) * 1_000, queueMaxReceives(consumer));
    if (messages.length === 0) return;
    busy.set(name, now + 1);
    for (const message of messages) {
      const holders = held.get(message) ?? 0;
      if (holders > 0) world.faults.note("visibility-ran-out");
      held.set(message, holders + 1);
    }
    world.tell(() => `${name} takes ${messages.map(({ about, id }) => `${about?.type ?? id}`).join(", ")}`);
    world.spawn(
      name,
      consumer.timeoutSeconds,
      () => {
        queues.invoked(here(), name, messages);
        return (handlers[name] as (event: SQSEvent) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>)({
          Records: messages.map(queues.recordOf),
        });
      },
      (outcome) => {
        busy.set(name, (busy.get(name) ?? 1) - 1);
        for (const message of messages) held.set(message, (held.get(message) ?? 1) - 1);
        if (outcome.is === "done") {
          const failed = new Set(outcome.value.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
          for (const message of messages) if (!failed.has(message.id)) acknowledge(name, message);
        }
        ask(name);
      },
    );
    if (messages.length === consumer.batchSize) ask(name);
  };

  const ask = (name: string): void => {
    const { world } = cloudOfWorld();
    world.after(world.latency(), () => poll(name));
  };

  const acknowledge = (name: string, message: Message): void => {
    const { world, queues } = cloudOfWorld();
    acknowledged(name, message);
    // what was deleted may be there again
    if (world.faults.strikes("duplicate")) return;
    queues.remove(message);
  };

  return { ask };
};

const SHORTEST_MS = schedules[0].everySeconds * 1_000;
const MAX_MS = 6 * 3_600_000;
/** Longer than any deadline: what has not begun to move by then never will. */
const CALM_MS = 2 * 3_600_000;

/**
 * The reconciler's timer. Where nothing happened since its last run it comes later and later: days pass in a few steps.
 *
 * @param happenings counts what happens
 * @param calm told after a run before which nothing had happened for longer than any deadline
 */
export const reconciler = ({ world }: Cloud, happenings: () => number, calm: () => void): void => {
  let wait = SHORTEST_MS;
  let seen = -1;
  const run = (): void => {
    world.spawn(
      "reconcile",
      schedules[0].timeoutSeconds,
      () => reconcileAll(undefined),
      () => {
        const isCalm = happenings() === seen;
        if (isCalm && wait >= CALM_MS) calm();
        wait = isCalm ? Math.min(wait * 2, MAX_MS) : SHORTEST_MS;
        seen = happenings();
        world.after(wait, run);
      },
    );
  };
  world.after(SHORTEST_MS, run);
};

const wakes = schedules.find(({ name }) => name === "wake") ?? schedules[0];

/** The timer of `wake`: of its runs, one a minute at the same second, those that find something due. */
export const waker = ({ world, rows }: Cloud): void => {
  const everyMs = wakes.everySeconds * 1_000;
  const beat = world.random.fork("wake").int(everyMs);
  let next = Number.POSITIVE_INFINITY;
  const within = (due: number): void => {
    const wait = due - world.now();
    const earliest = world.now() + Math.max(0, wait > MAX_WAIT_MS ? 0 : wait);
    const at = beat + Math.ceil((earliest - beat) / everyMs) * everyMs;
    if (at >= next) return;
    next = at;
    world.after(at - world.now(), () => {
      // another run came first
      if (next === at) run();
    });
  };
  const run = (): void => {
    next = Number.POSITIVE_INFINITY;
    world.spawn(
      "wake",
      wakes.timeoutSeconds,
      () => wakeAll(undefined),
      () => {
        const [first] = [...rows.waiting.values()].sort((a, b) => a.due - b.due);
        // what could not be sent, or is not due yet
        if (first !== undefined) within(Math.max(first.due, world.now() + 1));
      },
    );
  };
  rows.waits = ({ due }) => within(due);
};
