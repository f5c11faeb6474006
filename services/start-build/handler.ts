import { ACTIONS_KEY, siteResources } from "../../blueprint/sites.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import { messageOf } from "../../engine/kit/envelope.ts";
import { waitingToken } from "../../engine/views/waiting-rows.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, builds, site, views } from "../../engine/wiring/parts.ts";
import { startBuild } from "./start-build.ts";

export const { wire, handler } = consumerOf(
  "start-build",
  { aggregates, builds, site, views },
  ({ aggregates, builds, config, site: siteNamed, views, clock }) =>
    startBuild({
      aggregates,
      comeAgain: (event, seconds) =>
        views.noteWaiting({
          consumer: "start-build",
          key: deploymentOf(event.stream),
          body: messageOf(event),
          due: clock.now() + seconds * 1_000,
          token: waitingToken(clock.now(), clock.random()),
        }),
      builds: {
        stop: builds.stop,
        find: builds.find,
        start: ({ deploymentId, site, environment, source }) => {
          const declared = siteNamed(site, environment);
          const { project, secret, builds: left, buildCache } = siteResources(site, environment);
          return builds.start({
            project,
            deploymentId,
            site,
            environment,
            source,
            sourcesBucket: config.buckets.sources,
            artifactsBucket: config.buckets.artifacts,
            folders: { builds: left, cache: buildCache },
            secret,
            secretNames: [ACTIONS_KEY, ...(declared?.variables ?? [])],
            timeoutMinutes: declared?.buildTimeoutMinutes ?? 20,
          });
        },
      },
    }),
);
