import { viewsTable as views } from "../blueprint/stores.ts";
import { table } from "./table.ts";

/** Read models, which a rebuild makes again from the log; deliveries of webhooks, which expire; notes and leases of the engine. */
export const viewsTable = table("Views", views);
