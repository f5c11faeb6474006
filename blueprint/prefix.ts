import { stagePrefix } from "./stage.ts";

/** What every name begins with, of this process, which belongs to one stage: SHIPLOG_STAGE, which the infrastructure gives to itself and to every function. */
export const PREFIX = stagePrefix(process.env.SHIPLOG_STAGE, process.env.SHIPLOG_DEFAULT_STAGE);
