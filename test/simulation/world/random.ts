/** Chance that a seed decides: the same seed, the same numbers. */
export type Random = {
  /** in [0, 1) */
  next(): number;
  /** 0, 1 … below */
  int(below: number): number;
  between(from: number, to: number): number;
  /** small numbers as often as large ones: 1 to 10 as often as 10 to 100 */
  spread(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** another sequence of its own: what is drawn there changes nothing here */
  fork(name: string): Random;
};

/** Mixes a text into a 32-bit number. */
export const mix = (seed: number, text: string): number => {
  let hash = seed ^ 0x9e3779b9;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  return hash >>> 0;
};

/** sfc32: four words of state, and good enough for any of this. */
export const randomOf = (seed: number): Random => {
  let a = mix(seed, "a");
  let b = mix(seed, "b");
  let c = mix(seed, "c");
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warm = 0; warm < 12; warm++) next();
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    between: (from, to) => from + next() * (to - from),
    spread: (from, to) => from * (to / from) ** next(),
    chance: (probability) => probability > 0 && next() < probability,
    pick: (list) => list[int(list.length)] as (typeof list)[number],
    fork: (name) => randomOf(mix(seed, name)),
  };
};
