import { userInfo } from "node:os";

/**
 * Who the person says they are: SHIPLOG_ACTOR, the actor of a GitHub workflow, or the user of this machine.
 * The engine records it together with the name of the token, which is what it can prove. An HTTP header holds ASCII only.
 */
export function claimedActor(environment: Readonly<Record<string, string | undefined>>): string {
  const claimed = environment.SHIPLOG_ACTOR || environment.GITHUB_ACTOR || userName();
  const ascii = claimed.normalize("NFKD").replace(/[^\x20-\x7e]/g, "");
  return ascii.trim().slice(0, 64) || "unknown";
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
