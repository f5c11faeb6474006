import type { Instance } from "./world.ts";
import { here } from "./world.ts";

/** A service as its callers know it: its name, and what it says when it is asked too much. */
export type Service = { readonly name: string; refusal(): Error };

/**
 * What may go wrong with the answer: `append` is the event store's write; `asked again`: the client asks a second time
 * by itself where an answer is lost, so the caller gets the answer to the second one.
 */
export type Kind = "plain" | "append" | "publish" | "asked again";

/** An error as the SDK gives it. */
export const awsError = (name: string, status = 400, message = `${name}, by the simulation`): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

const timeout = (): Error => awsError("TimeoutError", 0, "no answer in time, by the simulation");
const never = <T>(): Promise<T> => new Promise(() => undefined);

const die = (self: Instance, where: string): void => {
  self.world.points.hit.add(where);
  self.world.trace(`crash ${where}`);
  self.world.tell(() => `${self.name}#${self.id} dies: ${where}`);
  self.died();
};

/** Dead, or its time is over. */
const isGone = (self: Instance): boolean => {
  if (!self.alive) return true;
  if (self.world.now() <= self.ends) return false;
  self.world.tell(() => `${self.name}#${self.id} is stopped: its time is over`);
  self.died();
  return true;
};

/**
 * One call to a port. Its effect comes at one virtual time and its answer at a later one; in between anything else may
 * happen, and before and after each its caller may die.
 */
export const call = <T>(service: Service, operation: string, kind: Kind, effect: () => T, detail = ""): Promise<T> => {
  const self = here();
  const { world } = self;
  const { faults } = world;
  if (isGone(self)) return never();
  const point = `${self.name} ${operation}`;
  world.points.seen.add(point);

  return new Promise<T>((resolve, reject) => {
    world.after(world.latency(), () => {
      if (isGone(self)) return;
      if (faults.strikes(kind === "append" ? "crash-before-append" : kind === "publish" ? "crash-before-publish" : "crash-before-effect"))
        return die(self, `${point} before`);
      const outcome = attempt();
      world.trace(`${point} ${outcome.is}`);
      world.tell(
        () => `${self.name}#${self.id} ${operation}${detail && ` ${detail}`}${outcome.is === "no" ? ` → ${nameOf(outcome.error)}` : ""}`,
      );
      const wait = pause() ?? (world.random.chance(0.6) ? 0 : world.latency());
      if (wait === 0) answer(outcome);
      else world.after(wait, () => answer(outcome));
    });

    function attempt(): { is: "ok"; value: T } | { is: "no"; error: unknown } {
      if ((world.bursts.get(service.name) ?? 0) > world.now()) return { is: "no", error: service.refusal() };
      if (faults.strikes("throttled")) {
        world.bursts.set(service.name, world.now() + world.random.spread(500, 600_000));
        return { is: "no", error: service.refusal() };
      }
      if (kind === "append" && faults.strikes("store-timeout-lost")) return { is: "no", error: timeout() };
      const first = once();
      if (first.is === "no") return first;
      if (kind === "append" && faults.strikes("store-timeout-applied"))
        return world.random.chance(0.5) ? once() : { is: "no", error: timeout() };
      if (kind === "asked again" && faults.strikes("own-retry-refused")) return once();
      if (kind !== "append" && faults.strikes("answer-lost")) return { is: "no", error: timeout() };
      return first;
    }

    function once(): { is: "ok"; value: T } | { is: "no"; error: unknown } {
      try {
        return { is: "ok", value: world.actAs(self, effect) };
      } catch (error) {
        return { is: "no", error };
      }
    }

    /** The whole machine stands still: nobody ends it, and its messages may be handed out again. */
    function pause(): number | undefined {
      const kindOfPause = operation === "POST" ? "lease-holder-paused" : "paused";
      if (!faults.strikes(kindOfPause)) return undefined;
      self.ends = Number.POSITIVE_INFINITY;
      const ms = world.random.spread(30_000, 3 * 3_600_000);
      world.tell(() => `${self.name}#${self.id} stands still for ${Math.round(ms / 1_000)} s`);
      return ms;
    }

    function answer(outcome: { is: "ok"; value: T } | { is: "no"; error: unknown }): void {
      if (isGone(self)) return;
      if (faults.strikes("crash-after-effect")) die(self, `${point} after`);
      else world.resume(() => (outcome.is === "ok" ? resolve(outcome.value) : reject(outcome.error)));
    }
  });
};

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));
