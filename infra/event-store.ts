import { eventsTable as events } from "../blueprint/stores.ts";
import { table } from "./table.ts";

/** The log. Everything else can be made again from it. */
export const eventsTable = table("Events", events);

/**
 * For what AWS takes the creation of for granted where it exists (a queue, a rule). The table is refused where another stage
 * has it: one with the same names stops there, before it shares anything.
 */
export const unshared = { dependsOn: [eventsTable.nodes.table] };
