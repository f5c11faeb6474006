import type { FaultKind } from "./faults.ts";
import type { Random } from "./world/random.ts";

/**
 * What a world has more of than others. Mistakes that need several rare things at once are seen where these come together;
 * chance alone would bring them together in one world of thousands.
 */
export type Theme = {
  readonly name: string;
  /** kinds of faults that strike, by how much more often than usual */
  readonly faults: Partial<Readonly<Record<FaultKind, number>>>;
  /** how many times as often each of these strikes at most, where there is a limit */
  readonly caps: number;
  /** of all that people ask for, how much is a rollback (0–1) */
  readonly rollbacks?: number;
  /** how many of all answers take seconds (0–1) */
  readonly slow?: number;
  /** of all that people ask for, how much is that a release is cut off (0–1) */
  readonly cuts?: number;
  /** what names a release reaches it for some minutes only; else in half of the worlds */
  readonly shortWindows?: boolean;
  /** how likely its environments keep little and are swept all the time (0–1) */
  readonly sweeps?: number;
  /** everything happens in one environment within a minute */
  readonly haste?: boolean;
  /** how likely webhook endpoints are in the world, which is then asked for more of them (0–1) */
  readonly listening?: number;
};

export const anything: Theme = { name: "anything", faults: {}, caps: 1 };

const themes: readonly Theme[] = [
  anything,
  anything,
  anything,
  // what is dated ahead is lost on its way, and the clocks are right again when it is looked for
  { name: "clocks ahead", faults: { "clock-jump": 8, "stream-lost": 4, "given-up": 4 }, caps: 3 },
  {
    name: "rollbacks",
    faults: { "version-deleted": 3, "alias-edited": 2, "given-up": 1, flood: 2 },
    caps: 2,
    rollbacks: 0.5,
    haste: false,
  },
  {
    name: "hands in a flip",
    faults: { "alias-edited-midway": 8, "crash-after-effect": 4, "crash-before-append": 2, "store-timeout-lost": 2 },
    caps: 2,
  },
  // flips overtake each other, and hands change what they write
  { name: "rows of the edge", faults: { "row-edited": 5, "edge-replayed": 8, "address-deleted": 3, paused: 1 }, caps: 2, haste: true },
  // releases end while they are brought live again
  {
    name: "ended releases",
    faults: { "crash-after-effect": 3, "crash-before-append": 2, paused: 2, "given-up": 1 },
    caps: 2,
    rollbacks: 0.4,
    cuts: 0.25,
    shortWindows: true,
    haste: false,
  },
  { name: "publishers at once", faults: { "mixed-versions": 2 }, caps: 6, slow: 0.2, haste: true },
];

export const themeOf = (random: Random): Theme => random.pick(themes);

/**
 * Worlds that are asked for by name alone (`--theme`): for mistakes that no mix of the themes above shows in a few thousand
 * worlds. All of them are worlds with faults.
 */
const spotlights: readonly Theme[] = [
  // what begins is written while clocks are far off, and its record is lost
  {
    name: "first events lost",
    faults: { "clock-jump": 10, "stream-lost": 12, "given-up": 3, "crash-before-publish": 1 },
    caps: 4,
    listening: 1,
  },
  // a row misses the end of its stream, which a clock that was far off has dated
  {
    name: "rows behind",
    faults: { "clock-jump": 15, "given-up": 15, "letters-stay": 20 },
    caps: 6,
    listening: 1,
  },
  // causes come again when a snapshot covers them, and snapshots go
  {
    name: "said again",
    faults: { duplicate: 8, delay: 15, "request-repeated": 6, "snapshot-dropped": 8, "stale-read": 10, "dead-letters-redriven": 3 },
    caps: 6,
    haste: true,
  },
  // what nothing keeps is taken away while people go back, publish and keep
  {
    name: "sweeping",
    faults: { "crash-after-effect": 1, "crash-before-append": 1, paused: 1, "version-deleted": 0.5, "build-failed": 0.5 },
    caps: 2,
    rollbacks: 0.3,
    slow: 0.1,
    sweeps: 1,
    haste: false,
  },
  // CodeBuild has no room, and never will
  { name: "no room for builds", faults: { "build-refused": 100 }, caps: Number.POSITIVE_INFINITY, haste: true },
];

/** @throws Error where no theme has this name */
export const themeNamed = (name: string): Theme => {
  const theme = [...themes, ...spotlights].find((one) => one.name === name);
  if (theme === undefined) throw new Error(`There is no theme "${name}". Known: ${spotlights.map((one) => one.name).join(", ")}`);
  return theme;
};
