import { createHash } from "node:crypto";
import * as z from "zod";
import { PUBLIC_SETS } from "../../blueprint/edge-table.ts";

/** A file of the app's `public/`: other releases have another one under the same path, so it lies in its set's own folder. */
export const PublicFile = z.object({
  /** path below the site's root, as visitors ask for it (decoded): `docs/guide.txt` */
  path: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  contentType: z.string(),
  cacheControl: z.string(),
});

/**
 * What a release serves besides its functions: stored beside the assets for as long as the release may go live again. Version 1
 * is of releases whose public files each flip put, among them manifests of builds that share their id; their contents lie
 * below `contentKey`.
 */
export const Manifest = z.object({
  v: z.union([z.literal(1), z.literal(2)]),
  deploymentId: z.string(),
  releaseId: z.string(),
  publicFiles: z.array(PublicFile),
  /**
   * paths of the files that have a name of their own in each version (`_next/**`), below the assets: other releases may have the
   * same. Absent in what was published before they were listed
   */
  versioned: z.array(z.string()).optional(),
  /** by which its pages and tags are named: its release's id, unless the app was built with one of its own. Absent in what was published before it was kept */
  runtimeId: z.string().optional(),
});

export type PublicFile = z.infer<typeof PublicFile>;
export type Manifest = z.infer<typeof Manifest>;

/** What a release's pages and tags are named by; releases of an app that has an id of its own share them. */
export const pagesIdOf = (manifest: Manifest | undefined, releaseId: string): string => manifest?.runtimeId ?? releaseId;

/** What a stored text says; `undefined` where it is no manifest that this engine knows. */
export const manifestIn = (text: string): Manifest | undefined => {
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};

/** Where the manifest of a deployment lies in the static bucket. */
export const manifestKey = (releases: string, deploymentId: string): string => `${releases}/${deploymentId}.json`;
/** Where the content of a public file of a manifest of version 1 lies, whatever its path. */
export const contentKey = (publicFiles: string, sha256: string): string => `${publicFiles}/${sha256}`;

/** Names a set of public files: the same for the same paths, contents and headers. 16 hexadecimal digits. */
export const setOf = (files: readonly PublicFile[]): string => {
  const digest = createHash("sha256");
  for (const { path, sha256, contentType, cacheControl } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    digest.update(`${JSON.stringify([path, sha256, contentType, cacheControl])}\n`);
  return digest.digest("hex").slice(0, 16);
};

/** Where the files of a set lie, each below it under its own path. @param assets folder of the environment's assets */
export const setFolder = (assets: string, set: string): string => `${assets}/${PUBLIC_SETS}/${set}`;
