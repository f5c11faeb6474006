import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { givenVariables, siteResources } from "../../blueprint/site-resources.ts";
import type { Fingerprints } from "../../domain/deployment/shapes.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import { messageOf } from "../../engine/kit/envelope.ts";
import { waitingToken } from "../../engine/views/waiting-rows.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, builds, rows, secrets, site } from "../../engine/wiring/parts.ts";
import { startBuild } from "./start-build.ts";

const namesOf = (declared: SiteConfig | undefined): string[] => givenVariables(declared ?? { variables: [] });

export const { wire, handler } = consumerOf(
  "start-build",
  { aggregates, builds, secrets, site, rows },
  ({ aggregates, builds, config, secrets, site: siteNamed, rows, clock }) =>
    startBuild({
      aggregates,
      valuesOf: async (site, environment) => {
        const { fingerprints = {}, values } = await secrets.read(siteResources(site, environment).secret);
        const given = namesOf(siteNamed(site, environment));
        const known = given.flatMap((name) => (Object.hasOwn(fingerprints, name) ? [[name, fingerprints[name]] as const] : []));
        return {
          missing: given.filter((name) => !Object.hasOwn(values, name)),
          ...(known.length > 0 && { variables: Object.fromEntries(known) as Fingerprints }),
        };
      },
      comeAgain: (event, seconds) =>
        rows.noteWaiting({
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
            secretNames: namesOf(declared),
            timeoutMinutes: declared?.buildTimeoutMinutes ?? 20,
          });
        },
      },
    }),
);
