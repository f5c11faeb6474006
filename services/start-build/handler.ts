import { ACTIONS_KEY, siteResources } from "../../blueprint/sites.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readRecorded } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { aggregates, builds, projectOf, queues, site } from "../../engine/wiring/parts.ts";
import { startBuild } from "./start-build.ts";

export const wire = ({
  aggregates,
  builds,
  queues,
  config,
  site: siteNamed,
}: Pick<Engine, "aggregates" | "builds" | "queues" | "config" | "site">) =>
  consumer(
    maxReceives("start-build"),
    queues.mailroom("start-build"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent>,
    startBuild({
      aggregates,
      builds: {
        stop: builds.stop,
        find: builds.find,
        start: ({ deploymentId, site, environment, source }) => {
          const declared = siteNamed(site, environment);
          return builds.start({
            project: projectOf(site),
            deploymentId,
            site,
            environment,
            source,
            sourcesBucket: config.buckets.sources,
            artifactsBucket: config.buckets.artifacts,
            secret: siteResources(site, environment).secret,
            secretNames: [ACTIONS_KEY, ...(declared?.variables ?? [])],
            timeoutMinutes: declared?.buildTimeoutMinutes ?? 20,
          });
        },
      },
    }),
  );

export const handler = onLambda({ aggregates, builds, queues, site }, wire);
