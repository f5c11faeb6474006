import { hkdfSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { type FunctionRole, kindOf } from "../../domain/deployment/shapes.ts";
import type { Replacement } from "../zip/archive.ts";

/**
 * Next.js' preview keys: who names the id may have a page made again, and sees drafts. Each build has random ones, so that a
 * page of one release could not be made again by another. Every release of an environment is published with the same.
 */
const hex = (characters: number) => z.string().regex(new RegExp(`^[0-9a-f]{${characters}}$`));
const PreviewKeys = z.object({ previewModeId: hex(32), previewModeSigningKey: hex(64), previewModeEncryptionKey: hex(64) });
export type PreviewKeys = z.infer<typeof PreviewKeys>;

const Manifest = z.object({ preview: PreviewKeys });
const NAMES = ["previewModeId", "previewModeSigningKey", "previewModeEncryptionKey"] as const;

/** The file with the keys, in Next.js' own folder of a server and in the revalidation function's. */
export const MANIFEST = "prerender-manifest.json";

/** Which function has its keys in which file, below the build's root. */
export type KeysAt = { readonly role: FunctionRole; readonly file: string };

/** Whether a function's bundle has the keys. */
export const hasKeys = (role: FunctionRole): boolean => kindOf(role) !== "image";

/**
 * The keys that a build was made with; `null`, with a warning, where they are not the same in each of its functions, or of
 * another shape: with some of them replaced and others not, the release could not even make its own pages again.
 */
export const readPreviewKeys = async (
  root: string,
  places: readonly KeysAt[],
): Promise<{ preview: PreviewKeys | null; warnings: readonly string[] }> => {
  const found = await Promise.all(places.map(async ({ role, file }) => ({ role, file, keys: await keysIn(join(root, file)) })));
  const first = found[0]?.keys;
  const odd = found.find(({ keys }) => keys === undefined || NAMES.some((name) => keys[name] !== first?.[name]));
  if (first !== undefined && odd === undefined) return { preview: first, warnings: [] };
  const { role, file } = odd ?? { role: "server", file: MANIFEST };
  return {
    preview: null,
    warnings: [
      `the preview keys of this build are not where Next.js writes them (${file} of the ${role} function), so it keeps its own: other releases cannot have its pages made again, and drafts that are open end when it goes live or is replaced. Use releases of next and @opennextjs/aws that are made for each other`,
    ],
  };
};

const keysIn = async (file: string): Promise<PreviewKeys | undefined> => {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return Manifest.safeParse(JSON.parse(text)).data?.preview;
  } catch {
    return undefined;
  }
};

/**
 * The keys of an environment, which follow from a secret that it has and that nobody can find from them. A label for each, so
 * that the id, which goes over the wire, says nothing of the others; the place, for a secret that two environments were given.
 */
export const previewKeysOf = ({ site, environment }: Pick<SiteConfig, "site" | "environment">, secret: string): PreviewKeys => {
  const derived = (name: (typeof NAMES)[number], bytes: number): string =>
    Buffer.from(hkdfSync("sha256", secret, SALT, `${site}/${environment}/${name}`, bytes)).toString("hex");
  return {
    previewModeId: derived("previewModeId", 16),
    previewModeSigningKey: derived("previewModeSigningKey", 32),
    previewModeEncryptionKey: derived("previewModeEncryptionKey", 32),
  };
};

/** Another one gives every environment other keys with its next release. */
const SALT = "shiplog preview keys 1";

/** What is written for what, wherever a bundle has it: which files have the keys depends on the app. */
export const replacing = (built: PreviewKeys, own: PreviewKeys): Replacement[] =>
  NAMES.map((name) => ({ from: Buffer.from(built[name]), to: Buffer.from(own[name]) }));
