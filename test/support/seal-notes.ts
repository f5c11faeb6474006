import type { SealedHead } from "../../domain/kernel/seal.ts";
import type { SealNotes } from "../../engine/views/seal-notes.ts";

/** What is noted of seals, in memory. */
export const notesInMemory = (): SealNotes => {
  const unsealed = new Map<string, number>();
  const sealed = new Map<string, SealedHead>();
  let seals: number | undefined;
  return {
    noteUnsealed: async (stream, version) => {
      unsealed.set(stream, Math.max(version, unsealed.get(stream) ?? 0));
      return true;
    },
    unsealedStreams: async () => [...unsealed.keys()],
    countUnsealed: async (limit) => Math.min(limit, unsealed.size),
    sealedHead: async (stream) => sealed.get(stream),
    noteSealed: async (stream, head) => {
      if (head.version >= (sealed.get(stream)?.version ?? 0)) sealed.set(stream, head);
      if (head.missing.length === 0 && (unsealed.get(stream) ?? 0) <= head.version) unsealed.delete(stream);
    },
    sealsNoted: async () => seals,
    noteSeals: async (number) => {
      seals = Math.max(number, seals ?? 0);
    },
  };
};
