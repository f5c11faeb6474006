import type { ConsumerName, Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type BatchHandler, consumer, type Delivery } from "../kit/consumer.ts";
import { maxReceives, readSubscribed } from "../kit/subscription.ts";
import type { Together } from "../kit/together.ts";
import { type Made, onLambda, type Parts } from "./lambda.ts";
import { queues } from "./parts.ts";

type WithQueue<P extends Parts> = Made<P & { readonly queues: typeof queues }>;

/**
 * A consumer of the topology out of its verb and the parts that it needs: `wire` for a process that has the whole engine,
 * `handler` for a Lambda function, which is bundled with those parts alone.
 *
 * @param read checks a message at the door; without it, the events that the topology subscribes it to
 * @param together which messages of a batch are handled as one; without it, none
 */
export const consumerOf = <N extends ConsumerName, P extends Parts, M = Recorded<Subscribed<N>>>(
  name: N,
  parts: P,
  verb: (engine: WithQueue<P>) => (message: M, delivery: Delivery) => Promise<void>,
  read: (body: string) => M = readSubscribed(name) as (body: string) => M,
  together?: Together<M>,
): { wire: (engine: WithQueue<P>) => BatchHandler; handler: BatchHandler } => {
  const wire = (engine: WithQueue<P>): BatchHandler =>
    consumer(maxReceives(name), engine.queues.redelivery(name), read, verb(engine), together);
  return { wire, handler: onLambda({ ...parts, queues }, wire) };
};
