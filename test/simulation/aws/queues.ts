import type { SQSRecord } from "aws-lambda";
import type { Instance, World } from "../world/world.ts";

/** Which event a message is about, where it is one of the engine's own. */
export type About = { readonly stream: string; readonly version: number; readonly type: string };
export type Message = {
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  readonly about: About | undefined;
  /** how often each function was invoked in the chain that led to this message: Lambda counts it */
  readonly lineage: Lineage;
  receives: number;
  /** virtual time at which it was handed out first */
  takenAt: number;
  visibleAt: number;
  gone: boolean;
};
type Lineage = ReadonlyMap<string, number>;
/** Lambda stops what led to itself so often. */
const MAX_HOPS = 16;
export type DeadLetter = { readonly body: string; readonly reason: string; readonly about: About | undefined; readonly at: number };
export type Queues = ReturnType<typeof queuesOf>;

/** Standard queues: at least once, in any order, hidden for a while when they are handed out. */
export const queuesOf = (world: World, arrived: (queue: string) => void) => {
  const queues = new Map<string, Message[]>();
  const dead = new Map<string, DeadLetter[]>();
  const newest = new Map<string, number>();
  const laid = new Set<string>();
  const lineages = new WeakMap<Instance, Lineage>();
  let ids = 0;
  const messagesOf = (queue: string): Message[] => {
    const found = queues.get(queue) ?? [];
    if (!queues.has(queue)) queues.set(queue, found);
    return found;
  };
  const wake = (message: Message): void => {
    const { visibleAt } = message;
    world.after(Math.max(0, visibleAt - world.now()), () => {
      if (!message.gone && message.visibleAt === visibleAt) arrived(message.queue);
    });
  };

  return {
    send: (queue: string, body: string, delayMs: number, about?: About): void => {
      const message = {
        id: `m${++ids}`,
        queue,
        body,
        about,
        lineage: lineages.get(world.acting() as Instance) ?? new Map<string, number>(),
        receives: 0,
        takenAt: Number.POSITIVE_INFINITY,
        visibleAt: world.now() + delayMs,
        gone: false,
      };
      messagesOf(queue).push(message);
      wake(message);
    },
    /** Hands out some of what is visible. What was handed out while it is still worked on counts as two holders. */
    receive: (queue: string, most: number, hiddenMs: number, maxReceives: number): Message[] => {
      const now = world.now();
      const visible = messagesOf(queue).filter((message) => message.visibleAt <= now);
      const taken: Message[] = [];
      while (visible.length > 0 && taken.length < most) {
        const [message] = visible.splice(world.random.int(visible.length), 1) as [Message];
        message.receives += 1;
        if ((message.lineage.get(queue) ?? 0) >= MAX_HOPS) {
          world.violate(`Lambda takes a message to ${queue} for a loop and stops it: ${message.body.slice(0, 200)}`);
          continue;
        }
        const isGivenUp = world.faults.strikes("given-up");
        if (message.receives > maxReceives || isGivenUp) {
          lay(queue, {
            body: message.body,
            reason: isGivenUp ? "every try of it failed" : "received too often",
            about: message.about,
            at: now,
          });
          remove(message);
          continue;
        }
        message.takenAt = Math.min(message.takenAt, now);
        message.visibleAt = now + hiddenMs;
        wake(message);
        taken.push(message);
        overtaken(queue, message);
      }
      return taken;
    },
    /** A process is invoked with these: what it sends is of their chain. */
    invoked: (instance: Instance, name: string, messages: readonly Message[]): void => {
      const lineage = new Map<string, number>();
      for (const message of messages) for (const [fn, count] of message.lineage) lineage.set(fn, Math.max(lineage.get(fn) ?? 0, count));
      lineage.set(name, (lineage.get(name) ?? 0) + 1);
      lineages.set(instance, lineage);
    },
    hide: (id: string, queue: string, ms: number): void => {
      const message = messagesOf(queue).find((one) => one.id === id);
      if (message === undefined) return;
      message.visibleAt = world.now() + ms;
      wake(message);
    },
    remove,
    /** Which event a body is about; `undefined` for anything but an event of the engine. */
    aboutOf: (body: string): About | undefined => {
      try {
        const { detail } = JSON.parse(body) as { detail?: About };
        return detail?.stream === undefined ? undefined : { stream: detail.stream, version: detail.version, type: detail.type };
      } catch {
        return undefined;
      }
    },
    /** Whether this body was put among the dead letters, or waits to come again. */
    isKept: (queue: string, message: Message): boolean =>
      laid.has(`${queue} ${message.body}`) || messagesOf(queue).some((other) => other !== message && other.body === message.body),
    /** Puts a letter among the dead ones of a queue. */
    lay,
    deadLetters: (queue: string): readonly DeadLetter[] => dead.get(queue) ?? [],
    /** Takes every dead letter of a queue away, to be sent again. */
    exhume: (queue: string): readonly DeadLetter[] => {
      const letters = dead.get(queue) ?? [];
      dead.set(queue, []);
      return letters;
    },
    waiting: (): Message[] => [...queues.values()].flat(),
    recordOf: ({ id, body, receives }: Message): SQSRecord =>
      ({ messageId: id, receiptHandle: id, body, attributes: { ApproximateReceiveCount: String(receives) } }) as SQSRecord,
  };

  function remove(message: Message): void {
    message.gone = true;
    const list = messagesOf(message.queue);
    const at = list.indexOf(message);
    if (at >= 0) list.splice(at, 1);
  }

  function lay(queue: string, letter: DeadLetter): void {
    const letters = dead.get(queue) ?? [];
    if (letters.length === 0) dead.set(queue, letters);
    letters.push(letter);
    laid.add(`${queue} ${letter.body}`);
    world.tell(() => `dead letter of ${queue}: ${letter.about?.type ?? ""} ${letter.reason}`);
  }

  function overtaken(queue: string, { about, receives }: Message): void {
    if (about === undefined || receives > 1) return;
    const key = `${queue} ${about.stream}`;
    const seen = newest.get(key) ?? 0;
    if (about.version < seen) world.faults.note("reorder");
    else newest.set(key, about.version);
  }
};
