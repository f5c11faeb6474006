import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type Consumer, type ConsumerName, consumers, EVENTS_TABLE, schedules } from "../infra/topology.ts";
import { wire as advance } from "../services/advance/handler.ts";
import { wire as deliver } from "../services/deliver/handler.ts";
import { wire as flipAlias } from "../services/flip-alias/handler.ts";
import type { Engine } from "../services/kit/engine.ts";
import { wire as notify } from "../services/notify/handler.ts";
import { wire as project } from "../services/project/handler.ts";
import { wire as publishRelease } from "../services/publish-release/handler.ts";
import { wire as reconcile } from "../services/reconcile/handler.ts";
import { wire as refreshEdge } from "../services/refresh-edge/handler.ts";
import { wire as relay } from "../services/relay/handler.ts";
import { wire as seal } from "../services/seal/handler.ts";
import { wire as startBuild } from "../services/start-build/handler.ts";
import { wire as stopBuild } from "../services/stop-build/handler.ts";
import { wire as watchBuild } from "../services/watch-build/handler.ts";
import type { LocalAws } from "./aws.ts";
import type { QueueAt } from "./provision/engine-resources.ts";
import { pollQueue, type QueuePoller } from "./queue-poller.ts";

type Wire = (engine: Engine) => (event: SQSEvent) => Promise<SQSBatchResponse>;

/** The same wiring as on AWS, by the consumer's name: the type makes sure that none is missing. */
const wires: Record<ConsumerName, Wire> = {
  "start-build": startBuild,
  "stop-build": stopBuild,
  "watch-build": watchBuild,
  "publish-release": publishRelease,
  "flip-alias": flipAlias,
  advance,
  "refresh-edge": refreshEdge,
  notify,
  deliver,
  project,
};

/** Batches of one consumer that are worked on at once: a release that is published must not keep another environment waiting. */
const CONCURRENCY = 4;

/** Runs the engine's consumers in this process, on the same queues, rules and streams as on AWS. */
export const runConsumers = (engine: Engine, aws: LocalAws, queues: ReadonlyMap<string, QueueAt>, log: (line: string) => void) => {
  const pollers: QueuePoller[] = consumers.map(({ name, batchSize, concurrency = CONCURRENCY }: Consumer & { name: ConsumerName }) => {
    const queue = queues.get(name);
    if (queue === undefined) throw new Error(`the queue of ${name} was not made`);
    return pollQueue({
      client: aws.clients.sqs,
      queueUrl: queue.url,
      queueArn: queue.arn,
      batchSize,
      concurrency,
      handle: wires[name](engine),
      log,
    });
  });
  const relayRecords = relay(engine);
  const unsubscribe = aws.endpoint.onStream(EVENTS_TABLE, async (Records) => {
    const { batchItemFailures } = await relayRecords({ Records } as Parameters<typeof relayRecords>[0]);
    if (batchItemFailures.length > 0) throw new Error("not every record was relayed");
  });
  return {
    close: async (): Promise<void> => {
      unsubscribe();
      await Promise.all(pollers.map((poller) => poller.close()));
    },
  };
};

/** Runs the reconciler now and then: more often than on AWS, where a minute is the shortest and every run costs. */
export const runReconciler = (engine: Engine, everyMs: number, log: (line: string) => void) =>
  repeat("reconcile", reconcile(engine), everyMs, log);

const SEAL_EVERY_MS = (schedules.find(({ name }) => name === "seal")?.everySeconds ?? 3_600) * 1_000;

/** Seals what is over, as often as on AWS. */
export const runSealer = (engine: Engine, log: (line: string) => void) => repeat("seal", seal(engine), SEAL_EVERY_MS, log);

/** Runs at once and then again and again, that long after each end. What one run throws is logged. */
const repeat = (name: string, run: (event: undefined) => Promise<void>, everyMs: number, log: (line: string) => void) => {
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const next = (): void => {
    running = run(undefined)
      .catch((error: unknown) => log(`${name}: ${error instanceof Error ? error.message : String(error)}`))
      .then(() => {
        if (!closed) timer = setTimeout(next, everyMs);
      });
  };
  next();
  return {
    close: async (): Promise<void> => {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
};
