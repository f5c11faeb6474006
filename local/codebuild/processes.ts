import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Ends every process of a build: SIGTERM, after `graceMs` SIGKILL. Returns when none is left.
 *
 * Members are found by process group and, where /proc exists, by CODEBUILD_BUILD_ID in their environment: that
 * also finds what left the group (`setsid`, daemons) and what an earlier run of the endpoint left behind.
 */
export async function endProcesses(buildId: string, groups: readonly number[], graceMs = 2000): Promise<void> {
  for (const [signal, patience] of [["SIGTERM", graceMs] as const, ["SIGKILL", 5000] as const]) {
    if (living(buildId, groups).length === 0) return;
    send(living(buildId, groups), signal);
    for (const deadline = Date.now() + patience; Date.now() < deadline; await sleep(20)) {
      const left = living(buildId, groups);
      if (left.length === 0) return;
      if (signal === "SIGKILL") send(left, signal); // one may have forked in between
    }
  }
  throw new Error(`processes of the build ${buildId} survive SIGKILL: ${living(buildId, groups).join(", ")}`);
}

/** Process ids to signal; a whole group is a negative number. Zombies do not count: they only wait for their parent. */
function living(buildId: string, groups: readonly number[]): number[] {
  if (process.platform !== "linux") return groups.filter(groupExists).map((group) => -group);
  const mark = `CODEBUILD_BUILD_ID=${buildId}`;
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isMember(pid));

  function isMember(pid: number): boolean {
    try {
      const status = readFileSync(`/proc/${pid}/stat`, "latin1");
      const [state, , processGroup] = status.slice(status.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") return false;
      if (groups.includes(Number(processGroup))) return true;
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark);
    } catch {
      return false; // gone in between, or somebody else's
    }
  }
}

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // ended by itself in between
    }
  }
}
