import type { Ports } from "../../services/flip-alias/flip-alias.ts";

/** Notes of flips whose public files may not be settled, held here. */
export const unsettledFlips = (): Ports["unsettled"] & { readonly noted: ReadonlySet<string> } => {
  const noted = new Set<string>();
  const throttled = new Map<string, number>();
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
    throttled: async (place, sequence) => throttled.get(key(place, sequence)) ?? 0,
    noteThrottled: async (place, sequence, deliveries) => void throttled.set(key(place, sequence), deliveries),
  };
};
