import type { Objects } from "../aws/objects.ts";
import type { SealedHistory } from "./sealed-history.ts";

/** What the keys of seals begin with. */
export const SEALS = "seals/";

/** Sealed history as it lies in an engine's archive bucket, to be verified. */
export const archivedHistory = (objects: Pick<Objects, "list" | "getText" | "open">, bucket: string): SealedHistory => ({
  seals: async function* () {
    for (const key of await objects.list(bucket, SEALS)) yield { name: key, text: await sealText(objects, bucket, key) };
  },
  open: (key) => objects.open(bucket, key),
});

export const sealText = async (objects: Pick<Objects, "getText">, bucket: string, key: string): Promise<string> => {
  const text = await objects.getText(bucket, key);
  if (text === undefined) throw new Error(`the seal ${key} is gone from ${bucket}: its bucket must not let anything be deleted`);
  return text;
};
