import * as z from "zod";

/** A file whose key is the same in other releases (those of `public/`; manifests of Next.js), so a rollback must put it back. */
export const PublicFile = z.object({
  /** path below the site's root, as visitors ask for it (decoded): `docs/guide.txt` */
  path: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  contentType: z.string(),
  cacheControl: z.string(),
});

/** What a release serves besides its functions: stored beside the assets for as long as the release may go live again. */
export const Manifest = z.object({
  v: z.literal(1),
  deploymentId: z.string(),
  releaseId: z.string(),
  /** an origin is `s3`, `imageOptimizer`, `default`, or the name of a split function */
  behaviors: z.array(z.object({ pattern: z.string(), origin: z.string() })),
  publicFiles: z.array(PublicFile),
});

export type PublicFile = z.infer<typeof PublicFile>;
export type Manifest = z.infer<typeof Manifest>;

/** Where the manifest of a deployment lies in the static bucket. */
export const manifestKey = (releases: string, deploymentId: string): string => `${releases}/${deploymentId}.json`;
/** Where a public file's content lies, whatever its path. */
export const contentKey = (publicFiles: string, sha256: string): string => `${publicFiles}/${sha256}`;
