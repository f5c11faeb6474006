import { AwsError } from "../http.ts";
import type { Fleet } from "./fleet.ts";
import { tooManyAtOnce } from "./refusals.ts";
import type { Reply } from "./task.ts";

/** Invocations that run at this moment, of the functions that share them. */
export type Executions = {
  /**
   * Begins an invocation.
   * @returns what ends it
   * @throws AwsError (429) where as many run as there may
   */
  begin(): () => void;
  /** Begins one as soon as there is room, before those that come later. `undefined` where the signal ended the wait. */
  beginWhenFree(signal: AbortSignal): Promise<(() => void) | undefined>;
};

/** The invocations of the whole account: what no function has reserved, shared by functions of sites and of the engine alike. */
export type Concurrency = Executions & {
  readonly max: number;
  readonly unreserved: number;
  /** Where a function's invocations count: those that it has reserved, and no others; else what all share. */
  of(functionName: string): Executions;
};

/** @param reserved executions of one function alone, by its name (PutFunctionConcurrency) */
export const openConcurrency = (max: number, reserved: ReadonlyMap<string, number> = new Map()): Concurrency => {
  const own = new Map([...reserved].map(([name, count]) => [name, openExecutions(count)]));
  const unreserved = max - [...reserved.values()].reduce((sum, count) => sum + count, 0);
  const shared = openExecutions(unreserved);
  return { ...shared, max, unreserved, of: (name) => own.get(name) ?? shared };
};

const openExecutions = (max: number): Executions => {
  const waiting = new Set<(end: () => void) => void>();
  let running = 0;

  const begun = (): (() => void) => {
    running += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      running -= 1;
      const [first] = waiting;
      if (first === undefined) return;
      waiting.delete(first);
      first(begun());
    };
  };

  return {
    begin() {
      if (running >= max) throw tooManyAtOnce();
      return begun();
    },
    beginWhenFree(signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (running < max) return Promise.resolve(begun());
      return new Promise((resolve) => {
        const give = (end: (() => void) | undefined): void => {
          signal.removeEventListener("abort", leave);
          resolve(end);
        };
        const leave = (): void => {
          waiting.delete(give);
          give(undefined);
        };
        waiting.add(give);
        signal.addEventListener("abort", leave);
      });
    },
  };
};

/** A fleet whose invocations count. What streams is over when its answer is. */
export type CountedFleet = {
  /** One that finds no room is throttled. */
  readonly run: Fleet["run"];
  /** One that finds no room waits for it; it fails where the fleet is closed meanwhile. */
  readonly runWhenFree: Fleet["run"];
};

export const counted = (fleet: Fleet, { begin, beginWhenFree }: Executions, closing: AbortSignal): CountedFleet => {
  const until = async (end: () => void, ...[task, invocation]: Parameters<Fleet["run"]>): Promise<Reply> => {
    try {
      const reply = await fleet.run(task, invocation);
      if ("outcome" in reply || reply.body.closed) end();
      else reply.body.once("close", end);
      return reply;
    } catch (error) {
      end();
      throw error;
    }
  };
  return {
    run: async (...invocation) => until(begin(), ...invocation),
    async runWhenFree(...invocation) {
      const end = await beginWhenFree(closing);
      if (end === undefined) throw new AwsError("ServiceException", 500, "The local Lambda is shutting down.");
      return until(end, ...invocation);
    },
  };
};
