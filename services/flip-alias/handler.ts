import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, functions, objects, site, views } from "../../engine/wiring/parts.ts";
import { flipAlias } from "./flip-alias.ts";
import { publicFiles } from "./public-files.ts";

export const { wire, handler } = consumerOf(
  "flip-alias",
  { aggregates, functions, objects, site, views },
  ({ aggregates, functions, clock, objects, config, site, views }) => {
    const files = publicFiles(objects);
    const locations = ({ site, environment }: SiteConfig) => ({ bucket: config.buckets.static, ...siteResources(site, environment) });
    return flipAlias({
      aggregates,
      functions,
      clock,
      site,
      leases: views,
      unsettled: { note: views.noteUnsettled, isNoted: views.isUnsettled, forget: views.forgetUnsettled },
      files: {
        put: (of, manifest, writer) => files.put(locations(of), manifest, writer),
        removeOthers: (of, manifest, other, writer) => files.removeOthers(locations(of), manifest, other, writer),
      },
    });
  },
);
