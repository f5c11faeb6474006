import { snapshotsTable as snapshots } from "../blueprint/stores.ts";
import { table } from "./table.ts";

/** Folds of streams beside the log. Where the table is emptied, the next loads fold their streams whole. */
export const snapshotsTable = table("Snapshots", snapshots);
