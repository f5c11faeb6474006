import { peopleTable as people } from "../blueprint/stores.ts";
import { table } from "./table.ts";

/** The names of people, beside the log. Where the table is emptied, everybody is forgotten. */
export const peopleTable = table("People", people);
