import { userInfo } from "node:os";
import { headerName } from "../client/actor.ts";

/**
 * Who the person says they are: SHIPLOG_ACTOR, the actor of a GitHub workflow, or the user of this machine.
 * The engine records it together with the name of the token, which is what it can prove. An HTTP header holds ASCII only.
 */
export function claimedActor(environment: Readonly<Record<string, string | undefined>>): string {
  const claimed = environment.SHIPLOG_ACTOR || environment.GITHUB_ACTOR || userName();
  return headerName(claimed) || "unknown";
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
