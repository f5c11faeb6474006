import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { siteResources } from "../../blueprint/sites.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readRecorded } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, functions, objects, queues, site, views } from "../../engine/wiring/parts.ts";
import { flipAlias } from "./flip-alias.ts";
import { publicFiles } from "./public-files.ts";

export const wire = ({
  aggregates,
  functions,
  clock,
  objects,
  queues,
  config,
  site,
  views,
}: Pick<Engine, "aggregates" | "functions" | "clock" | "objects" | "queues" | "config" | "site" | "views">) => {
  const files = publicFiles(objects);
  const places = ({ site, environment }: SiteConfig) => ({ bucket: config.buckets.static, ...siteResources(site, environment) });
  return consumer(
    maxReceives("flip-alias"),
    queues.mailroom("flip-alias"),
    (body) => readRecorded(body) as Recorded<EnvironmentEvent>,
    flipAlias({
      aggregates,
      functions,
      clock,
      site,
      leases: views,
      unsettled: { note: views.noteUnsettled, isNoted: views.isUnsettled, forget: views.forgetUnsettled },
      files: {
        put: (of, manifest, writer) => files.put(places(of), manifest, writer),
        putRight: (of, manifest, paths, writer) => files.putRight(places(of), manifest, paths, writer),
        removeOthers: (of, manifest, other, writer) => files.removeOthers(places(of), manifest, other, writer),
      },
    }),
  );
};

export const handler = onLambda({ aggregates, functions, objects, queues, site, views }, wire);
