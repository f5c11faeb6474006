import { consumerOf } from "../../engine/wiring/consumer.ts";
import { aggregates } from "../../engine/wiring/parts.ts";
import { advance } from "./advance.ts";

export const { wire, handler } = consumerOf("advance", { aggregates }, advance);
