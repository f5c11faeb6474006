import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { siteResources } from "../../infra/sites.ts";
import type { SiteConfig } from "../kit/config.ts";
import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readRecorded } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { aggregates, functions, objects, queues, site, views } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
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
      files: {
        put: (of, manifest, writer) => files.put(places(of), manifest, writer),
        putRight: (of, manifest, paths, writer) => files.putRight(places(of), manifest, paths, writer),
        removeOthers: (of, manifest, other, writer) => files.removeOthers(places(of), manifest, other, writer),
      },
    }),
  );
};

export const handler = onLambda({ aggregates, functions, objects, queues, site, views }, wire);
