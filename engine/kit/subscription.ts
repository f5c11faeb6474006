import { type Consumer, type ConsumerName, consumers, type Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { readRecorded } from "./envelope.ts";

const declared = (name: ConsumerName): Consumer => {
  const found = (consumers as readonly Consumer[]).find((consumer) => consumer.name === name);
  if (found === undefined) throw new Error(`blueprint/topology.ts lists no consumer "${name}"`);
  return found;
};

/** Deliveries that a consumer tries before it puts a message aside with its reason. */
export const maxReceives = (name: ConsumerName): number => declared(name).maxReceives;

/** Reads the events that the topology says a consumer subscribes to, checked to their bodies. Throws what a person can read. */
export const readSubscribed = <N extends ConsumerName>(name: N): ((body: string) => Recorded<Subscribed<N>>) => {
  const types = declared(name).pattern?.["detail-type"];
  return (body) => {
    const event = readRecorded(body);
    if (!Array.isArray(types) || !types.includes(event.type))
      throw new Error(`${name} subscribes to no ${event.type}: is its rule older than its code?`);
    return event as Recorded<Subscribed<N>>;
  };
};
