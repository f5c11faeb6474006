import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, cdn, site } from "../../engine/wiring/parts.ts";
import { refreshEdge } from "./refresh-edge.ts";

export const { wire, handler } = consumerOf("refresh-edge", { aggregates, site, cdn }, ({ aggregates, site, cdn }) =>
  refreshEdge({ aggregates, site, invalidate: cdn.invalidate }),
);
