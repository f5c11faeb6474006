import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { ACTIONS_KEY, siteResources } from "../../infra/sites.ts";
import { consumer } from "../kit/consumer.ts";
import type { Engine } from "../kit/engine.ts";
import { readRecorded } from "../kit/envelope.ts";
import { onLambda } from "../kit/lambda.ts";
import { aggregates, builds, projectOf, queues, site } from "../kit/parts.ts";
import { maxReceives } from "../kit/receives.ts";
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
