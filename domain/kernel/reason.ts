/** Of a reason in an event, in UTF-16 units; stored events hold none that is longer. */
const MOST = 2_000;

/**
 * A command whose reason fits into an event: somebody else's error message may be of any length, or empty, and an event
 * that cannot be read again would stop its stream for ever.
 */
export const withReason = <C extends object>(command: C): C => {
  const { reason } = command as { reason?: unknown };
  if (typeof reason !== "string") return command;
  const text = reason.trim();
  return { ...command, reason: text === "" ? "no reason was given" : text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text };
};
