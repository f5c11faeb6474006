import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, builds, projectOf } from "../../engine/wiring/parts.ts";
import { BuildStateChange, watchBuild } from "./watch-build.ts";

export const { wire, handler } = consumerOf(
  "watch-build",
  { aggregates, builds },
  ({ aggregates, builds }) => watchBuild({ aggregates, builds, projectOf }),
  (body) => BuildStateChange.parse(JSON.parse(body)),
);
