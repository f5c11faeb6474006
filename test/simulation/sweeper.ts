import type { Recorded } from "../../domain/kernel/event.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { Cloud } from "./aws/cloud.ts";
import type { Place } from "./engine/config.ts";
import { keepRelease } from "./engine/engine.ts";
import { isOfSweep } from "./invariants/sweeps.ts";

export type Sweeper = {
  /** told of every event */
  seen(event: Recorded, of: string | undefined): void;
  /** it has asked often enough since something happened */
  isDone(): boolean;
};

type Marked = { readonly releases: readonly { readonly deploymentId: string }[] };
const MINUTE = 60_000;
/** Since something happened in an environment it is asked so often, later and later: for some ten hours. */
const TIMES = 10;
const LATER = 1.6;
/** The last of these are when what a flip came to nothing of may go, too: one sweeps what is marked, one marks, one sweeps that. */
const AT_LAST = 3;
const PAUSE = 210 * MINUTE;
/** How often one comes beside a publisher. */
const BESIDE = 0.5;
/** How often somebody objects beside a sweep of what is marked. */
const OBJECTING = 0.15;

/**
 * Asks for the sweeps of environments that keep little, every few minutes for as long as something happens there: the reconciler
 * comes to them too seldom for a world's hours.
 */
export const sweeper = ({ world, queues }: Cloud, used: readonly Place[]): Sweeper => {
  const random = world.random.fork("sweeper");
  const asked = new Map<string, number>();
  const placed = new Map(used.map((place) => [environmentStream(place.site, place.environment), place]));
  const marked = new Map<string, string[]>();
  let objections = 0;
  /** Somebody keeps a release that is marked, at the moment in which it is looked at for the last time. */
  const object = (place: Place): void => {
    const ids = marked.get(environmentStream(place.site, place.environment)) ?? [];
    if (ids.length === 0 || !random.chance(OBJECTING)) return;
    const id = random.pick(ids);
    const key = `objection ${++objections}`;
    world.after(random.spread(10, 10_000), () =>
      world.spawn(
        "api",
        29,
        () => keepRelease(place, id, { user: "ada", key }),
        () => undefined,
      ),
    );
  };
  /** @param isPerson the engine by itself looks once a day */
  const send = (place: Place, isPerson = random.chance(0.8)): void => {
    object(place);
    const actor = isPerson ? { actor: "cleo" } : {};
    queues.send("sweep", JSON.stringify({ ...place, ...actor }), 0);
  };
  const ask = (stream: string, place: Place): void => {
    const times = asked.get(stream) ?? 0;
    const left = TIMES - times;
    const beside = random.spread(2 * MINUTE, 8 * MINUTE) * LATER ** times;
    // what is marked may be swept half an hour later, at most
    const atLast = random.spread(32 * MINUTE, 60 * MINUTE) + (left === AT_LAST ? PAUSE : 0);
    world.after(left > AT_LAST ? beside : atLast, () => {
      send(place, left <= AT_LAST || undefined);
      const now = (asked.get(stream) ?? 0) + 1;
      asked.set(stream, now);
      if (now < TIMES) ask(stream, place);
    });
  };
  return {
    seen: ({ type, body }, of = "") => {
      const place = placed.get(of);
      if (world.keep === undefined || place === undefined) return;
      if (type === "ReleasesMarked")
        marked.set(
          of,
          (body as Marked).releases.map(({ deploymentId }) => deploymentId),
        );
      if (type === "SweepEnded" || type === "MarkDropped") marked.delete(of);
      const isIdle = (asked.get(of) ?? TIMES) >= TIMES;
      if (type === "ReleasesMarked" && isIdle) {
        // marked when it was asked for the last time: somebody comes once more to sweep it
        asked.set(of, TIMES - 1);
        ask(of, place);
      }
      if (isOfSweep(type)) return;
      // a publisher is about to take what lies there already for its own
      if (type === "BuildSucceeded" && random.chance(BESIDE)) world.after(random.spread(1, 10_000), () => send(place));
      asked.set(of, 0);
      if (isIdle) ask(of, place);
    },
    isDone: () => [...asked.values()].every((times) => times >= TIMES),
  };
};
