import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { batchesAtOnce } from "../blueprint/concurrency.ts";
import { functionName, relay } from "../blueprint/engine-functions.ts";
import { type Consumer, consumers, EVENTS_TABLE, schedules } from "../blueprint/topology.ts";
import type { Engine } from "../engine/wiring/engine.ts";
import type { LocalAws } from "./aws.ts";
import type { Concurrency, Executions } from "./lambda/concurrency.ts";
import { handOn } from "./lambda/lineage.ts";
import type { QueueAt } from "./provision/engine-resources.ts";
import { pollQueue, type QueuePoller } from "./queue-poller.ts";

type Wire<E, A> = (engine: Engine) => (event: E) => Promise<A>;

/** The engine that a function of that name runs with: on AWS each has its own. */
export type EngineOf = (name: string) => Engine;

/** The code of a function of the engine, where AWS finds it too: by its name alone. */
const wireOf = async <E, A>(name: string): Promise<Wire<E, A>> => {
  const { wire } = (await import(`../services/${name}/handler.ts`)) as { wire?: Wire<E, A> };
  if (wire === undefined) throw new Error(`services/${name}/handler.ts exports no \`wire\`: nothing can run ${name} here`);
  return wire;
};

/** Batches of one consumer that are worked on at once: a release that is published must not keep another environment waiting. */
const CONCURRENCY = 4;

/** Runs the engine's consumers in this process, on the same queues, rules and streams as on AWS. */
export const runConsumers = async (
  engineOf: EngineOf,
  aws: LocalAws,
  queues: ReadonlyMap<string, QueueAt>,
  log: (line: string) => void,
): Promise<{ close(): Promise<void> }> => {
  const pollers: QueuePoller[] = [];
  for (const consumer of consumers as readonly Consumer[]) {
    const { name, batchSize } = consumer;
    // fewer than on AWS, where each is another machine's work, and no more than there
    const concurrency = Math.min(consumer.concurrency ?? CONCURRENCY, batchesAtOnce(consumer, aws.lambda.concurrency.max));
    const queue = queues.get(name);
    if (queue === undefined) throw new Error(`the queue of ${name} was not made`);
    const engine = engineOf(name);
    handOn(engine.clients.sqs);
    const handle = (await wireOf<SQSEvent, SQSBatchResponse>(name))(engine);
    const { url: queueUrl, arn: queueArn } = queue;
    const fn = functionName(name);
    const invocations = aws.lambda.concurrency.of(fn);
    pollers.push(pollQueue({ client: aws.polls, fn, queueUrl, queueArn, batchSize, concurrency, invocations, handle, log }));
  }
  const relayRecords = (await wireOf<{ Records: readonly unknown[] }, SQSBatchResponse>(relay.name))(engineOf(relay.name));
  const closing = new AbortController();
  const unsubscribe = aws.endpoint.onStream(EVENTS_TABLE, async (Records) => {
    // Lambda holds a stream's records until there is room for them
    const end = await aws.lambda.concurrency.of(functionName(relay.name)).beginWhenFree(closing.signal);
    if (end === undefined) return;
    try {
      const { batchItemFailures } = await relayRecords({ Records });
      if (batchItemFailures.length > 0) throw new Error("not every record was relayed");
    } finally {
      end();
    }
  });
  return {
    close: async (): Promise<void> => {
      closing.abort();
      unsubscribe();
      await Promise.all(pollers.map((poller) => poller.close()));
    },
  };
};

/**
 * Runs what the topology has on a timer.
 *
 * @param invocations of the account, in which each run is one
 * @param everyMs other times between two runs than AWS's, by name: a minute is the shortest there, and every run costs
 */
export const runSchedules = async (
  engineOf: EngineOf,
  everyMs: Readonly<Record<string, number>>,
  invocations: Concurrency,
  log: (line: string) => void,
): Promise<{ close(): Promise<void> }> => {
  const running: { close(): Promise<void> }[] = [];
  for (const { name, everySeconds } of schedules) {
    const run = (await wireOf<undefined, void>(name))(engineOf(name));
    running.push(repeat(name, run, everyMs[name] ?? everySeconds * 1_000, invocations.of(functionName(name)), log));
  }
  return { close: async () => void (await Promise.all(running.map(({ close }) => close()))) };
};

/** Runs at once and then again and again, that long after each end. What one run throws is logged. */
const repeat = (
  name: string,
  run: (event: undefined) => Promise<void>,
  everyMs: number,
  { beginWhenFree }: Executions,
  log: (line: string) => void,
) => {
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const closing = new AbortController();
  /** An asynchronous invocation waits for room. */
  const runWhenFree = async (): Promise<void> => {
    const end = await beginWhenFree(closing.signal);
    if (end !== undefined) await run(undefined).finally(end);
  };
  const next = (): void => {
    running = runWhenFree()
      .catch((error: unknown) => log(`${name}: ${error instanceof Error ? error.message : String(error)}`))
      .then(() => {
        if (!closing.signal.aborted) timer = setTimeout(next, everyMs);
      });
  };
  next();
  return {
    close: async (): Promise<void> => {
      closing.abort();
      clearTimeout(timer);
      await running;
    },
  };
};
