import type { Objects } from "../aws/objects.ts";
import { type SealedHistory, sealTextOf } from "./sealed-history.ts";

/** What the keys of seals begin with. */
export const SEALS = "seals/";

/** Sealed history as it lies in an engine's archive bucket, to be verified. */
export const archivedHistory = (objects: Pick<Objects, "list" | "open">, bucket: string): SealedHistory => ({
  seals: async function* () {
    for (const key of await objects.list(bucket, SEALS)) yield { name: key, text: await sealText(objects, bucket, key) };
  },
  open: (key) => objects.open(bucket, key),
});

/** `undefined` where the file is longer than any seal. */
export const sealText = async (objects: Pick<Objects, "open">, bucket: string, key: string): Promise<string | undefined> => {
  const body = await objects.open(bucket, key);
  if (body === undefined) throw new Error(`the seal ${key} is gone from ${bucket}: its bucket must not let anything be deleted`);
  return sealTextOf(body);
};
