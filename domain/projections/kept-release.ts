import type { RoutedView } from "./views.ts";

/**
 * Why a release has an address: it is `live`; what names it still reaches it (`window`); that time is over (`ended`); or somebody
 * cut it off (`cut`). The last two reach nobody any more, and lose their address soon after.
 */
export type Kept = "live" | "window" | "ended" | "cut";

/** @param now ISO 8601: a time that is over ends what reaches the release, whether or not the log has it already */
export const keptWhy = ({ until, ended }: Pick<RoutedView, "until" | "ended">, now: string): Kept => {
  if (ended !== null) return ended === "cut" ? "cut" : "ended";
  if (until === null) return "live";
  return until > now ? "window" : "ended";
};
