import type { EngineConfig } from "../../blueprint/engine-config.ts";
import { formerProject } from "../../blueprint/site-resources.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, buildLogs, builds, projectOf } from "../../engine/wiring/parts.ts";
import { BuildStateChange, watchBuild } from "./watch-build.ts";

/** A build that an older engine began may end under this one; not where an environment has the former name by now. */
export const formerProjectOf = ({ sites }: Pick<EngineConfig, "sites">, site: string): string[] => {
  const former = formerProject(site);
  return sites.some((one) => projectOf(one.site, one.environment) === former) ? [] : [former];
};

export const { wire, handler } = consumerOf(
  "watch-build",
  { aggregates, buildLogs, builds },
  ({ aggregates, buildLogs, builds, config }) =>
    watchBuild({
      aggregates,
      builds,
      logEnd: buildLogs.end,
      projectsOf: (site, environment) => [projectOf(site, environment), ...formerProjectOf(config, site)],
    }),
  (body) => BuildStateChange.parse(JSON.parse(body)),
);
