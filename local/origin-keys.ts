import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { readDocument } from "./damaged.ts";
import { replaceFile } from "./replace-file.ts";

/** `origin-keys.json`, stored for as long as the data folder: keys by environment (`web/production`) and number. */
const Stored = z.record(z.string(), z.record(z.string(), z.string().min(20)));
const FORGET = "Delete it: the engine then makes new keys, and every environment must be deployed once more";

/** The keys that edges and functions of this machine know each other by; made when a number is first asked for. Throws `Damaged`. */
export const openOriginKeys = (dataDir: string): ((place: string, numbers: readonly number[]) => string[]) => {
  const file = join(dataDir, "origin-keys.json");
  const kept = (readDocument(file, (value) => Stored.safeParse(value).success, FORGET) ?? {}) as z.infer<typeof Stored>;
  return (place, numbers) => {
    const own = kept[place] ?? {};
    kept[place] = own;
    const missing = numbers.filter((number) => !(number in own));
    for (const number of missing) own[number] = randomBytes(32).toString("base64url");
    if (missing.length > 0) replaceFile(file, `${JSON.stringify(kept)}\n`, 0o600);
    return numbers.map((number) => own[number] ?? "");
  };
};
