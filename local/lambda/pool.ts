import { AwsError } from "../http.ts";
import { type Sandbox, type SandboxSupport, startSandbox } from "./sandbox.ts";
import type { Invocation, Reply, Task } from "./task.ts";

/** The processes of one version: up to `maxConcurrency`; more invocations wait in line. */
export type Pool = {
  readonly task: Task;
  run(invocation: Invocation): Promise<Reply>;
  /** Stops idle processes until no more than `keep` are idle. */
  trim(keep: number): void;
  /** Stops idle processes that have waited since before `time` (ms since 1970). */
  trimIdleSince(time: number): void;
  /** Lets what was accepted finish, keeps no process after it, and resolves when the last is gone. */
  retire(): Promise<void>;
  /** Fails what is accepted and kills everything at once. */
  close(): Promise<void>;
  isEmpty(): boolean;
};

type Job = { readonly invocation: Invocation; readonly resolve: (reply: Reply) => void; readonly reject: (error: Error) => void };

export const openPool = (task: Task, maxConcurrency: number, support: SandboxSupport): Pool => {
  const line: Job[] = [];
  const all = new Set<Sandbox>();
  /** Most recently used last: the others can grow old and go. */
  const idle: { sandbox: Sandbox; since: number }[] = [];
  let starting = 0;
  let retired = false;
  let closed = false;
  let onEmpty = () => {};
  const empty = new Promise<void>((resolve) => {
    onEmpty = resolve;
  });

  const start = () => {
    starting += 1;
    let fresh = true;
    const settleStart = () => {
      if (fresh) starting -= 1;
      fresh = false;
    };
    const sandbox = startSandbox(task, support, {
      ready(sandbox) {
        settleStart();
        const job = line.shift();
        if (job) return give(sandbox, job);
        idle.push({ sandbox, since: Date.now() });
        if (retired) stop(sandbox);
      },
      ended(sandbox, neverReady) {
        settleStart();
        all.delete(sandbox);
        forgetIdle(sandbox);
        // A version that can't start fails the invocation that is first in line; the next one tries again.
        const first = neverReady && line.shift();
        if (first) first.resolve({ outcome: neverReady(first.invocation.requestId), log: async () => "" });
        if (line.length > 0) grow();
        else if (retired && all.size === 0) onEmpty();
      },
    });
    all.add(sandbox);
  };

  const give = (sandbox: Sandbox, job: Job) => void sandbox.run(job.invocation).then(job.resolve, job.reject);
  const grow = () => {
    while (!closed && starting < line.length && all.size < maxConcurrency) start();
  };
  const forgetIdle = (sandbox: Sandbox) => {
    const at = idle.findIndex((item) => item.sandbox === sandbox);
    if (at >= 0) idle.splice(at, 1);
  };
  const stop = (sandbox: Sandbox): Promise<void> => {
    forgetIdle(sandbox);
    return sandbox.stop();
  };
  const trim = (keep: number) => {
    while (idle.length > keep) void idle.shift()?.sandbox.stop();
  };

  return {
    task,
    run(invocation) {
      if (closed) return Promise.reject(shutDown());
      return new Promise((resolve, reject) => {
        const job = { invocation, resolve, reject };
        const warm = idle.pop();
        if (warm) return give(warm.sandbox, job);
        line.push(job);
        grow();
      });
    },
    trim,
    trimIdleSince(time) {
      for (const { sandbox } of idle.filter(({ since }) => since < time)) void stop(sandbox);
    },
    retire() {
      retired = true;
      trim(0);
      if (all.size === 0 && line.length === 0) onEmpty();
      return empty;
    },
    async close() {
      closed = true;
      for (const job of line.splice(0)) job.reject(shutDown());
      await Promise.all([...all].map(stop));
    },
    isEmpty: () => all.size === 0 && line.length === 0,
  };
};

const shutDown = () => new AwsError("ServiceException", 500, "The local Lambda is shutting down.");
