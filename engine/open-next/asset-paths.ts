/** Where the assets of a build are asked for, in its own words: its basePath and assetPrefix. Paths without a slash at either end. */
export type AssetPaths = {
  /** the app's basePath: every asset lies below it. "" for none */
  readonly base: string;
  /** what is below it, as it is asked for, has a name of its own in each version, and never changes */
  readonly versioned: string;
  /** where pages ask for `_next/static` besides: the path of an assetPrefix. "" for none */
  readonly prefix: string;
};

export type Copy = { readonly from: string; readonly to: string; readonly versionedSubDir?: string | undefined };

/** The two folders that are copied, and what their places in the bucket must begin with. */
const COPIED: Readonly<Record<string, string>> = { ".open-next/assets": "_assets", ".open-next/cache": "_cache" };

/** Reads `origins.s3.copy` of the output. Answers a sentence where it says something that a release cannot follow. */
export const assetPathsOf = (copies: readonly Copy[]): Omit<AssetPaths, "prefix"> | { readonly refused: string } => {
  for (const { from, to } of copies) {
    const place = COPIED[from];
    if (place === undefined || !(to === place || (place === "_assets" && to.startsWith("_assets/"))) || to.split("/").includes(".."))
      return { refused: `the build copies "${from}" to "${to}", which is not supported: use @opennextjs/aws 4.x with its own S3 origin` };
  }
  const assets = copies.find(({ from }) => from === ".open-next/assets");
  if (assets === undefined) return { refused: 'the build copies no assets (origins.s3.copy has no ".open-next/assets")' };
  return { base: trimmed(assets.to.slice("_assets".length)), versioned: trimmed(assets.versionedSubDir ?? "_next") };
};

/** Where a file of the build's assets is asked for: below the basePath, and static files below an assetPrefix too. */
export const placesOf = ({ base, prefix }: AssetPaths, path: string): [place: string, ...string[]] => {
  const own = below(base, path);
  return prefix !== "" && path.startsWith("_next/static/") ? [own, `${prefix}/${path}`] : [own];
};

/** OpenNext gives the folder with the basePath before it, and the files are copied without. */
export const isVersioned = ({ base, versioned }: AssetPaths, path: string): boolean =>
  path.startsWith(`${versioned}/`) || below(base, path).startsWith(`${versioned}/`);

/**
 * Next.js' manifests are named after the build's id. Where that is not this release's own (it is one constant since Next.js
 * 16.2), other releases have files of the same name: they lie under the release's id, where the edge's router looks for them.
 *
 * @param path decoded, below the assets
 * @param buildId undefined where the path is known to be named after it
 */
export const inRelease = (path: string, buildId: string | undefined, releaseId: string): string => {
  const [, before, folder, name] = MANIFEST_OF_NEXT.exec(path) ?? [];
  return name !== undefined && (buildId ?? folder) === folder ? `${before}${releaseId}/${name}` : path;
};

/** As `blueprint/edge-router.js` knows them. */
const MANIFEST_OF_NEXT = /^(.*_next\/static\/)([^/]+)\/(_[A-Za-z]+Manifest\.js(?:on)?)$/;

/**
 * The path part of an assetPrefix, as Next.js takes it: of an absolute one too, where a CDN asks this site for the files.
 * Without one, Next.js writes the basePath there.
 */
export const prefixOf = (assetPrefix: string, base: string): string => {
  const path = trimmed(URL.canParse(assetPrefix) ? new URL(assetPrefix).pathname : assetPrefix);
  return path === base ? "" : path;
};

/**
 * Why an edge that was made for a declared basePath cannot serve this build; `undefined` where it can. The edge goes by each
 * release's own basePath, but the paths of split functions are behaviours, which are there before any release.
 */
export const basePathFault = (
  declared: string | undefined,
  { base }: Pick<AssetPaths, "base">,
  packages: readonly { readonly patterns?: readonly string[] }[],
): string | undefined =>
  declared === undefined || trimmed(declared) === base || packages.every(({ patterns }) => patterns === undefined)
    ? undefined
    : `the app has split functions and the basePath "${base && `/${base}`}", and the edge sends their paths to them below "${declared}": set "basePath": "${base && `/${base}`}" for the site in shiplog.sites.json, deploy the infrastructure, then retry this deployment`;

/** The path to check below the app's basePath: `/` is the app's first page, not the site's. */
export const checkPathBelow = (base: string, checkPath: string): string => {
  if (base === "" || checkPath === `/${base}` || checkPath.startsWith(`/${base}/`)) return checkPath;
  return checkPath === "/" ? `/${base}` : `/${base}${checkPath}`;
};

const below = (base: string, path: string): string => (base === "" ? path : `${base}/${path}`);
const trimmed = (path: string): string => path.replace(/^\/+|\/+$/g, "");
