import { AsyncLocalStorage } from "node:async_hooks";
import type { KeepDeclared } from "../../../blueprint/keep.ts";
import { type FaultKind, type Faults, faultsOf } from "../faults.ts";
import type { Theme } from "../themes.ts";
import { agenda } from "./agenda.ts";
import { mix, type Random, randomOf } from "./random.ts";

/** One process of the engine: a Lambda invocation. What it awaits never ends once it is dead. */
export type Instance = {
  readonly id: number;
  readonly name: string;
  readonly world: World;
  readonly skewMs: number;
  /** it is of the release before, with the configuration of that */
  readonly old: boolean;
  alive: boolean;
  /** virtual time at which it began */
  readonly began: number;
  /** virtual time at which its time is over */
  ends: number;
  died(): void;
};

export type WorldOptions = {
  readonly seed: number;
  /** how often each kind of fault strikes at most */
  readonly cap: number;
  readonly without: ReadonlySet<FaultKind>;
  readonly theme: Theme;
  /** keep a history that a person can read */
  readonly record: boolean;
};

/** Where an instance can die: `flip-alias UpdateAlias before`. */
export type CrashPoints = { readonly seen: Set<string>; readonly hit: Set<string> };

export type World = ReturnType<typeof createWorld>;

/** Noon of the project's first day: a time that every seed begins at. */
export const START = Date.UTC(2026, 10, 23, 12);
const running = new AsyncLocalStorage<Instance>();

/** The process that asks. */
export const here = (): Instance => {
  const instance = running.getStore();
  if (instance === undefined) throw new Error("a port was called from outside of the simulated world");
  return instance;
};

/** Virtual time, chance, and everything that is about to happen. */
export const createWorld = ({ seed, cap, without, theme, record }: WorldOptions) => {
  const random: Random = randomOf(seed);
  const faults: Faults = faultsOf(random.fork("faults"), cap, without, theme);
  const ties = random.fork("ties");
  const waits = random.fork("waits");
  const chances = random.fork("chances");
  const skews = random.fork("skews");
  const keep = keepOf(random.fork("sweeps"), theme);
  const upcoming = agenda();
  const history: string[] = [];
  const violations: string[] = [];
  const bursts = new Map<string, number>();
  const points: CrashPoints = { seen: new Set(), hit: new Set() };
  let now = START;
  let steps = 0;
  let resumed = false;
  let instances = 0;
  let busy = 0;
  let clocksOffMs = 0;
  let acting: Instance | undefined;
  let hash = mix(seed, "trace");

  const world = {
    seed,
    random,
    faults,
    history,
    violations,
    bursts,
    points,
    /** everybody does everything at the same moment */
    haste: theme.haste ?? random.fork("haste").chance(0.3),
    theme,
    /** what its environments keep, where they are swept all the time */
    keep,
    /** what names a release reaches it for some minutes only: what visitors reach is swept by nobody */
    shortWindows: theme.shortWindows ?? (keep !== undefined || random.fork("windows").chance(0.5)),
    now: (): number => now,
    steps: (): number => steps,
    /** how far off every clock is, besides each machine's own error */
    clocksOffMs: (): number => clocksOffMs,
    setClocksOff: (ms: number): void => {
      clocksOffMs = ms;
    },
    /** The process whose call has its effect at this moment. */
    acting: (): Instance | undefined => acting,
    /** Has an effect as that of a process. */
    actAs: <T>(instance: Instance, effect: () => T): T => {
      acting = instance;
      try {
        return effect();
      } finally {
        acting = undefined;
      }
    },
    /** processes that are alive */
    busy: (): number => busy,
    upcoming: (): number => upcoming.size(),
    hash: (): string => hash.toString(16).padStart(8, "0"),
    /** Most answers take some milliseconds, some take seconds. */
    latency: (): number => (waits.chance(theme.slow ?? 0.04) ? waits.spread(200, 5_000) : waits.between(1, 40)),
    /** Chance for the engine itself. */
    chance: (): number => chances.next(),
    after: (ms: number, run: () => void): void => upcoming.put({ time: now + ms, tie: ties.next(), run }),
    trace: (what: string): void => {
      hash = mix(hash ^ (now | 0), what);
    },
    tell: (line: () => string): void => {
      if (record) history.push(`${timeOf(now)} ${line()}`);
    },
    violate: (what: string): void => {
      violations.push(what);
      world.tell(() => `VIOLATION ${what}`);
    },
    /** Lets code of the engine go on: all of it that can, before the next step. */
    resume: (go: () => void): void => {
      resumed = true;
      go();
    },
    /** Runs code of the engine in a process of its own. */
    spawn: <T>(name: string, seconds: number, act: () => Promise<T>, over: (outcome: Outcome<T>) => void): void => {
      const skewMs = faults.strikes("clock-skew") ? Math.round(skews.between(-600_000, 600_000)) : 0;
      const instance: Instance = {
        id: ++instances,
        name,
        world,
        skewMs,
        old: faults.strikes("mixed-versions"),
        alive: true,
        began: now,
        ends: now + seconds * 1_000,
        died: () => end({ is: "dead" }),
      };
      busy += 1;
      const end = (outcome: Outcome<T>): void => {
        if (!instance.alive) return;
        instance.alive = false;
        busy -= 1;
        over(outcome);
      };
      world.resume(() =>
        running.run(instance, () =>
          act().then(
            (value) => end({ is: "done", value }),
            (error: unknown) => end({ is: "failed", error }),
          ),
        ),
      );
    },
    /** The next thing that happens; `false` where nothing does. */
    step: async (): Promise<boolean> => {
      const entry = upcoming.take();
      if (entry === undefined) return false;
      now = entry.time;
      steps += 1;
      entry.run();
      if (resumed) {
        resumed = false;
        await settled();
      }
      return true;
    },
  };
  return world;
};

/** In how many worlds environments keep little and are swept all the time. */
const SWEEPING = 0.35;
const keepOf = (random: Random, { sweeps }: Theme): KeepDeclared | undefined =>
  random.chance(sweeps ?? SWEEPING)
    ? { releases: 1 + random.int(2), days: 0, window: random.pick([0, 0.1]), wait: random.spread(0.02, 0.5) }
    : undefined;

export type Outcome<T> =
  | { readonly is: "done"; readonly value: T }
  | { readonly is: "failed"; readonly error: unknown }
  | { readonly is: "dead" };

/** Everything that waited for nothing else has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const timeOf = (ms: number): string => {
  const past = ms - START;
  const days = Math.floor(past / 86_400_000);
  return `${days > 0 ? `${days}d ` : ""}${new Date(past % 86_400_000).toISOString().slice(11, 23)}`;
};
