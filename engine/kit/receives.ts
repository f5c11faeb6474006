import { type ConsumerName, consumers } from "../../blueprint/topology.ts";

/** Deliveries that a consumer tries before it puts a message aside with its reason. */
export const maxReceives = (name: ConsumerName): number => {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found === undefined) throw new Error(`blueprint/topology.ts lists no consumer "${name}"`);
  return found.maxReceives;
};
