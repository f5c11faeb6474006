import { clipped, storable } from "./text.ts";

/** Of a reason in an event, in UTF-16 units; stored events hold none that is longer. */
const MOST = 2_000;

/**
 * A command whose texts fit into an event: somebody else's error message may be of any length, empty, or full of what moves
 * a terminal's cursor, and an event that cannot be read again would stop its stream for ever.
 */
export const withReason = <C extends object>(command: C): C => {
  const { reason, warnings } = command as { reason?: unknown; warnings?: unknown };
  return {
    ...command,
    ...(typeof reason === "string" && { reason: clipped(storable(reason).trim(), MOST) || "no reason was given" }),
    ...(Array.isArray(warnings) && { warnings: warnings.map((warning) => storable(String(warning))) }),
  };
};
