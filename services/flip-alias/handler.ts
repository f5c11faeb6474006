import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { publicSets } from "../../engine/open-next/public-set.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { addresses, aggregates, edgeTable, functions, objects, probes, rows, site } from "../../engine/wiring/parts.ts";
import { flipAlias } from "./flip-alias.ts";

export const { wire, handler } = consumerOf(
  "flip-alias",
  { addresses, aggregates, edgeTable, functions, objects, probes, rows, site },
  ({ addresses, aggregates, edgeTable, functions, clock, objects, probes: { get, invoke }, config, rows, site }) => {
    const sets = publicSets(objects);
    const locations = ({ site, environment }: SiteConfig) => ({ bucket: config.buckets.static, ...siteResources(site, environment) });
    return flipAlias({
      aggregates,
      functions: { ...functions, get, invoke },
      addresses,
      edgeTable,
      clock,
      site,
      notes: rows,
      publicSet: (of, manifest) => sets.of(locations(of), manifest),
    });
  },
);
