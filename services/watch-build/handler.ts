import { formerProject } from "../../blueprint/sites.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, buildLogs, builds, projectOf } from "../../engine/wiring/parts.ts";
import { BuildStateChange, watchBuild } from "./watch-build.ts";

export const { wire, handler } = consumerOf(
  "watch-build",
  { aggregates, buildLogs, builds },
  ({ aggregates, buildLogs, builds }) =>
    watchBuild({
      aggregates,
      builds,
      logEnd: buildLogs.end,
      projectsOf: (site, environment) => [projectOf(site, environment), formerProject(site)],
    }),
  (body) => BuildStateChange.parse(JSON.parse(body)),
);
