import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates, builds } from "../../engine/wiring/parts.ts";
import { stopBuild } from "./stop-build.ts";

export const { wire, handler } = consumerOf("stop-build", { aggregates, builds }, stopBuild);
