import { beginsWithDay } from "../../domain/kernel/calendar.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { Problem } from "./problem.ts";

/** A time or a position, as a position: everything at or before it had happened. Throws a 400 that names the parameter. */
export const momentOf = (name: string, given: string): string => {
  if (/^\d{15}$/.test(given)) return given;
  const at = beginsWithDay(given) ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(at))
    throw new Problem(400, "query.invalid", `The request is not valid. "${name}": must be an ISO 8601 time or a position of 15 digits.`);
  return positionAt(at);
};
