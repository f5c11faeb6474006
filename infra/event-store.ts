import { eventsTable as events } from "../blueprint/stores.ts";
import { table } from "./table.ts";

/** The log. Everything else can be made again from it. */
export const eventsTable = table("Events", events);
