import { openPool, type Pool } from "./pool.ts";
import type { SandboxSupport } from "./sandbox.ts";
import type { Invocation, Reply, Task } from "./task.ts";

/** Every running process of every function. */
export type Fleet = {
  run(task: Task, invocation: Invocation): Promise<Reply>;
  /** Lets the processes of the matching tasks finish and go; resolves when they are gone. */
  retire(match: (task: Task) => boolean): Promise<void>;
  close(): Promise<void>;
};

export type FleetLimits = {
  readonly maxConcurrency: number;
  readonly idleTimeoutMs: number;
  /** After this time without an alias, a version keeps one idle process at most: enough for an instant rollback. */
  readonly unaliasedGraceMs: number;
};

/** Versions of a function that keep one although no alias names them, those that lost theirs last: what a rollback goes to. */
const KEPT_WARM = 2;

export const openFleet = (limits: FleetLimits, support: SandboxSupport, isAliased: (task: Task) => boolean): Fleet => {
  const pools = new Map<string, Pool>();
  const retiring = new Set<Pool>();
  const unaliasedSince = new Map<string, number>();

  const sweep = () => {
    const now = Date.now();
    for (const [key, pool] of pools) {
      pool.trimIdleSince(now - limits.idleTimeoutMs);
      if (isAliased(pool.task)) unaliasedSince.delete(key);
      else if (!unaliasedSince.has(key)) unaliasedSince.set(key, now);
    }
    for (const versions of unaliased().values())
      for (const [place, pool] of versions.entries())
        if (now - sinceOf(pool) >= limits.unaliasedGraceMs) pool.trim(place < KEPT_WARM ? 1 : 0);
    for (const [key, pool] of pools)
      if (pool.isEmpty()) {
        pools.delete(key);
        unaliasedSince.delete(key);
      }
  };

  /** The versions of each function that no alias names, the one that lost its alias last first. */
  const unaliased = (): Map<string, Pool[]> => {
    const without = [...pools.values()].filter(({ task }) => unaliasedSince.has(task.key));
    without.sort((a, b) => sinceOf(b) - sinceOf(a) || Number(b.task.version) - Number(a.task.version));
    return Map.groupBy(without, ({ task }) => task.functionName);
  };
  const sinceOf = ({ task }: Pool): number => unaliasedSince.get(task.key) ?? 0;

  const often = Math.max(20, Math.min(limits.idleTimeoutMs, limits.unaliasedGraceMs) / 4);
  const timer = setInterval(sweep, often);
  timer.unref();

  const poolOf = (task: Task): Pool => {
    const pool = pools.get(task.key) ?? openPool(task, limits.maxConcurrency, support);
    pools.set(task.key, pool);
    return pool;
  };

  return {
    run: (task, invocation) => poolOf(task).run(invocation),
    async retire(match) {
      const leaving = [...pools.values()].filter(({ task }) => match(task));
      await Promise.all(
        leaving.map(async (pool) => {
          pools.delete(pool.task.key);
          retiring.add(pool);
          await pool.retire();
          retiring.delete(pool);
        }),
      );
    },
    async close() {
      clearInterval(timer);
      await Promise.all([...pools.values(), ...retiring].map((pool) => pool.close()));
    },
  };
};
