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
  /** public files of each release, besides the usual ones */
  readonly publicFiles?: number;
  /** everything happens in one environment within a minute */
  readonly haste?: boolean;
};

export const anything: Theme = { name: "anything", faults: {}, caps: 1 };

const themes: readonly Theme[] = [
  anything,
  anything,
  anything,
  // what is dated ahead is lost on its way, and the clocks are right again when it is looked for
  { name: "clocks ahead", faults: { "clock-jump": 8, "stream-lost": 4, "given-up": 4 }, caps: 3 },
  { name: "rollbacks", faults: { "version-deleted": 3, "alias-edited": 2, "given-up": 1 }, caps: 2, rollbacks: 0.5, haste: false },
  {
    name: "hands in a flip",
    faults: { "alias-edited-midway": 8, "crash-after-effect": 4, "crash-before-append": 2, "store-timeout-lost": 2 },
    caps: 2,
  },
  // more than one batch of them, so that a flip can be overtaken between two
  { name: "many public files", faults: { paused: 1 }, caps: 1, publicFiles: 105, haste: true },
  { name: "publishers at once", faults: { "mixed-versions": 2 }, caps: 6, slow: 0.2, haste: true },
];

export const themeOf = (random: Random): Theme => random.pick(themes);
