import { type FlipTries, NO_TRIES } from "../../engine/views/unsettled-notes.ts";
import type { Ports } from "../../services/flip-alias/flip-alias.ts";

/** Notes of flips whose public files may not be settled, held here. */
export const unsettledFlips = (): Ports["unsettled"] & { readonly noted: ReadonlySet<string> } => {
  const noted = new Set<string>();
  const tries = new Map<string, FlipTries>();
  const key = (place: string, sequence: number): string => `${place} ${sequence}`;
  return {
    noted,
    note: async (place, sequence) => {
      const isFirst = !noted.has(key(place, sequence));
      noted.add(key(place, sequence));
      return isFirst;
    },
    isNoted: async (place, sequence) => noted.has(key(place, sequence)),
    forget: async (place, sequence) => void noted.delete(key(place, sequence)),
    tries: async (place, sequence) => tries.get(key(place, sequence)) ?? NO_TRIES,
    noteTries: async (place, sequence, now) => void tries.set(key(place, sequence), now),
  };
};
