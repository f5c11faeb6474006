import type { People } from "../../engine/people/people.ts";

/** Names where nobody has one. */
export const nobody: Pick<People, "inJson" | "reading"> = {
  inJson: async (json) => json,
  reading: async () => (text) => text,
};
