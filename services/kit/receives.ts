import { type ConsumerName, consumers } from "../../infra/topology.ts";

/** Deliveries that a consumer tries before it puts a message aside with its reason. */
export const maxReceives = (name: ConsumerName): number => {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found === undefined) throw new Error(`infra/topology.ts lists no consumer "${name}"`);
  return found.maxReceives;
};
