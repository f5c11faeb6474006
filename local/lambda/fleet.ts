import { openPool, type Pool } from "./pool.ts";
import type { SandboxSupport } from "./sandbox.ts";
import type { Invocation, Outcome, Task } from "./task.ts";

/** Every running process of every function. */
export type Fleet = {
  run(task: Task, invocation: Invocation): Promise<Outcome>;
  /** Lets the processes of the matching tasks finish and go; resolves when they are gone. */
  retire(match: (task: Task) => boolean): Promise<void>;
  close(): Promise<void>;
};

export type FleetLimits = {
  readonly maxConcurrency: number;
  readonly idleTimeoutMs: number;
  /** After this time without an alias, a version keeps one idle process only: enough for an instant rollback. */
  readonly unaliasedGraceMs: number;
};

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
      else if (now - (unaliasedSince.get(key) ?? now) >= limits.unaliasedGraceMs) pool.trim(1);
      if (pool.isEmpty()) {
        pools.delete(key);
        unaliasedSince.delete(key);
      }
    }
  };
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
