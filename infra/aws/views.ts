import { viewsTable as views } from "../stores.ts";
import { table } from "./table.ts";

/** Read models: a rebuild from the log gives the same. */
export const viewsTable = table("Views", views);
