import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { Damaged } from "../damaged.ts";
import { openJsonFile } from "./json-file.ts";

/** What proves to the local AWS that a request is the engine's, a function's or a build's. */
export type AccessKey = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** `access-key.json`, stored for as long as the data folder. */
const Stored = z.object({ accessKeyId: z.string().regex(/^LKIA[A-Z2-7]{16}$/), secretAccessKey: z.string().min(40) });

/**
 * The access key of a data folder: made when an endpoint first starts on it, the same ever after. It is in
 * `access-key.json`, readable by its owner alone; removed, the next start makes another.
 *
 * @throws Damaged
 */
export function openAccessKey(dataDir: string): AccessKey {
  const path = join(dataDir, "access-key.json");
  const file = openJsonFile<Partial<AccessKey>>(path, {}, 0o600);
  if (Object.keys(file.value).length === 0) {
    Object.assign(file.value, newAccessKey());
    file.save();
  }
  const stored = Stored.safeParse(file.value);
  if (!stored.success) throw new Damaged(path, "it holds no access key any more", "Delete it: the next start makes a new one");
  return stored.data;
}

/** What sites' functions sign with, whose roles may do less: another id, and a secret that follows from the first. */
export const functionKeyOf = ({ accessKeyId, secretAccessKey }: AccessKey): AccessKey => ({
  accessKeyId: `LFIA${accessKeyId.slice(4)}`,
  secretAccessKey: createHmac("sha256", secretAccessKey).update("functions").digest("base64"),
});

/** The prefix is none of AWS's own (`AKIA`, `ASIA`): the key cannot be taken for one that opens an account. */
const newAccessKey = (): AccessKey => ({
  accessKeyId: `LKIA${Array.from(randomBytes(16), (byte) => BASE32[byte % BASE32.length]).join("")}`,
  secretAccessKey: randomBytes(30).toString("base64"),
});

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
