import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, functions, objects, probes, rows, site } from "../../engine/wiring/parts.ts";
import { flipAlias } from "./flip-alias.ts";
import { publicFiles } from "./public-files.ts";

export const { wire, handler } = consumerOf(
  "flip-alias",
  { aggregates, functions, objects, probes, rows, site },
  ({ aggregates, functions, clock, objects, probes: { get, invoke }, config, rows, site }) => {
    const files = publicFiles(objects);
    const locations = ({ site, environment }: SiteConfig) => ({ bucket: config.buckets.static, ...siteResources(site, environment) });
    return flipAlias({
      aggregates,
      functions: { ...functions, get, invoke },
      clock,
      site,
      leases: rows,
      unsettled: {
        note: rows.noteUnsettled,
        isNoted: rows.isUnsettled,
        forget: rows.forgetUnsettled,
        tries: rows.flipTries,
        noteTries: rows.noteTries,
      },
      files: {
        put: (of, manifest, writer) => files.put(locations(of), manifest, writer),
        removeOthers: (of, manifest, other, writer) => files.removeOthers(locations(of), manifest, other, writer),
      },
    });
  },
);
