import { consumerOf } from "../../engine/wiring/consumer.ts";
import { addresses, aggregates, back, edgeTable, events, site } from "../../engine/wiring/parts.ts";
import { endRelease } from "./end-release.ts";

export const { wire, handler } = consumerOf(
  "end-release",
  { addresses, aggregates, edgeTable, events, back, site },
  ({ addresses, aggregates, edgeTable, events, back, site, clock }) =>
    endRelease({ addresses, aggregates, edgeTable, events, back, site, clock }),
);
