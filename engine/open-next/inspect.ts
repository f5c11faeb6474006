import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FunctionRole } from "../../domain/deployment/shapes.ts";
import { type AssetPaths, prefixOf } from "./asset-paths.ts";
import { type Bundle, type OpenNextOutput, OutputRefused, readOutput } from "./output.ts";
import { checkPrerendered } from "./prerendered.ts";
import { hasKeys, type KeysAt, MANIFEST, type PreviewKeys, readPreviewKeys } from "./preview-keys.ts";

export type Package = {
  readonly role: FunctionRole;
  readonly handler: string;
  /** below the build's root */
  readonly folder: string;
  /** it answers as a stream; absent: whole */
  readonly streaming?: true;
  /** of a split function: what goes to it, below the app's basePath */
  readonly patterns?: readonly string[];
};

/** A build as it was fetched. */
export type Output = {
  /** where its files are that `isRead` names */
  readonly root: string;
  /** every file and link of it, by paths below the root */
  readonly held: readonly { readonly path: string; readonly bytes: number }[];
};

/** Whether a file of a build is read here: of the functions, whose code goes on as it is packed, what Next.js says of the app. */
export const isRead = (path: string): boolean =>
  !path.includes("/") || /^(assets|cache|dynamodb-provider)\/|\/\.next\/[^/]+\.json$|^[^/]+\/prerender-manifest\.json$/.test(path);

/** A build that may be published. */
export type Inspected = {
  readonly root: string;
  readonly paths: AssetPaths;
  readonly packages: readonly Package[];
  /** the id that the app was built with, and the one that it asks its cache for; they should be the same */
  readonly buildId: string;
  readonly runtimeId: string;
  /** the preview keys that it was built with; `null` where it keeps them */
  readonly preview: PreviewKeys | null;
  readonly warnings: readonly string[];
};

/** Lambda's limit for the unpacked code of one function. */
const MAX_UNPACKED_BYTES = 250 * 1024 * 1024;

/**
 * Does not trust a build that ended well: everything that a release needs must really be there. Throws `OutputRefused`.
 *
 * @param output the content of `.open-next`
 * @param releaseId the id that the build was told to use
 */
export const inspect = async ({ root, held }: Output, releaseId: string, architecture: "x86_64" | "arm64"): Promise<Inspected> => {
  const output = readOutput(await textOf(join(root, "open-next.output.json")));
  const buildId = (await textOf(join(root, "assets/BUILD_ID")))?.trim();
  if (!buildId) throw new OutputRefused("the build has no assets/BUILD_ID: OpenNext did not finish");
  const packages: Package[] = [];
  for (const { role, bundle, patterns } of functionsOf(output, buildId))
    packages.push({
      ...packageOf(held, role, bundle),
      ...(bundle.streaming === true && { streaming: true }),
      ...(patterns && { patterns }),
    });
  if (output.image !== null) checkSharp(held, output.image.folder, architecture);

  const app = join(root, builtAppOf(held, output.server.folder));
  await checkPrerendered(root, app);
  const { deploymentId: runtimeId = buildId, assetPrefix = "" } = await serverConfigOf(app);
  const paths = { ...output.assets, prefix: prefixOf(assetPrefix, output.assets.base) };
  const { preview, warnings: previewWarnings } = await readPreviewKeys(root, keysAt(held, packages));
  const warnings = [...idWarnings(runtimeId, releaseId), ...prefixWarnings(assetPrefix), ...previewWarnings];
  return { root, paths, packages, buildId, runtimeId, preview, warnings };
};

/** Where each function of a build has its preview keys. */
const keysAt = (held: Output["held"], packages: readonly Package[]): KeysAt[] =>
  packages
    .filter(({ role }) => hasKeys(role))
    .map(({ role, folder }) => ({ role, file: `${role === "revalidation" ? folder : builtAppOf(held, folder)}/${MANIFEST}` }));

type Function = { role: FunctionRole; bundle: Bundle & { streaming?: boolean }; patterns?: readonly string[] };
const functionsOf = ({ server, split, image, revalidation }: OpenNextOutput, buildId: string): Function[] => [
  { role: "server", bundle: server },
  ...split.map(
    (bundle): Function => ({
      role: `server-${bundle.name}`,
      bundle,
      // where the app asks for paths that name the build, a CDN that serves every build must take any
      patterns: bundle.patterns.map((pattern) => pattern.replaceAll(`/${buildId}/`, "/*/")),
    }),
  ),
  ...(image ? [{ role: "image", bundle: image } as const] : []),
  ...(revalidation ? [{ role: "revalidation", bundle: revalidation } as const] : []),
];

const packageOf = (held: Output["held"], role: FunctionRole, { handler, folder }: Bundle): Package => {
  const own = held.filter(({ path }) => path.startsWith(`${folder}/`));
  const file = handler.slice(0, handler.lastIndexOf("."));
  if (!own.some(({ path }) => path === `${folder}/${file}.mjs`))
    throw new OutputRefused(
      `the bundle of the ${role} function has no ${file}.mjs (${folder}): the build did not finish, or its artifact leaves files out`,
    );
  const bytes = own.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes > MAX_UNPACKED_BYTES)
    throw new OutputRefused(
      `the ${role} function is ${Math.ceil(bytes / 1024 / 1024)} MB unpacked, and Lambda allows 250 MB: exclude what the server does not need (outputFileTracingExcludes)`,
    );
  return { role, handler, folder };
};

/** OpenNext ends well even when sharp could not be installed; every image would then answer 500. */
const checkSharp = (held: Output["held"], folder: string, architecture: "x86_64" | "arm64"): void => {
  const wanted = `sharp-linux-${architecture === "arm64" ? "arm64" : "x64"}`;
  const below = `${folder}/node_modules/@img/`;
  const names = held.flatMap(({ path }) => (path.startsWith(below) ? [path.slice(below.length).split("/")[0] ?? ""] : []));
  const found = [...new Set(names)].filter((name) => /^sharp-(?!libvips)/.test(name));
  if (found.includes(wanted)) return;
  const fix = `the default build installs what fits; with a buildspec.yml of your own, set imageOptimization.install in open-next.config.ts to sharp for linux/${architecture === "arm64" ? "arm64" : "x64"}`;
  throw new OutputRefused(
    found.length === 0
      ? `the image function has no sharp: its installation failed without failing the build; ${fix}`
      : `the image function has ${found.join(", ")}, but this site runs on ${architecture} and needs ${wanted}; ${fix}`,
  );
};

/** Next.js' own folder in the server's bundle: below the app's folder where the app is a part of a workspace. */
const builtAppOf = (held: Output["held"], server: string): string => {
  const own = `${server}/.next`;
  const isApp = ({ path }: Output["held"][number]): boolean =>
    path.startsWith(`${server}/`) && path.endsWith(`/.next/${SERVER_FILES}`) && !path.includes("node_modules/");
  const apps = held.filter(isApp).map(({ path }) => dirname(path));
  return apps.includes(own) ? own : (apps[0] ?? own);
};

const SERVER_FILES = "required-server-files.json";

/** What the app was configured with: the id that it asks its cache for, and where its pages look for scripts and styles. */
const serverConfigOf = async (app: string): Promise<{ deploymentId?: string; assetPrefix?: string }> => {
  const text = await textOf(join(app, SERVER_FILES));
  if (text === undefined) return {};
  const { config = {} } = parsed(text, "required-server-files.json of the server") as { config?: Record<string, unknown> };
  const { deploymentId, assetPrefix } = config;
  return { ...(isText(deploymentId) && { deploymentId }), ...(isText(assetPrefix) && { assetPrefix }) };
};

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Files on another host are that host's: they are neither put there nor checked. */
const prefixWarnings = (assetPrefix: string): string[] =>
  URL.canParse(assetPrefix)
    ? [
        `scripts and styles are asked of ${assetPrefix} (assetPrefix), which Shiplog neither fills nor checks: let it take them from this site, or remove assetPrefix from next.config`,
      ]
    : [];

/** The id of the build itself may be any: what is kept by it goes by the id of the release. */
const idWarnings = (runtimeId: string, releaseId: string): string[] =>
  runtimeId === releaseId
    ? []
    : [
        `the app was built as "${runtimeId}" instead of "${releaseId}", so two builds may share one cache: the buildspec must leave NEXT_DEPLOYMENT_ID as it is, or next.config set deploymentId: process.env.DEPLOYMENT_ID`,
      ];

const parsed = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OutputRefused(`the ${what} is not JSON: the build was cut short`, { cause: error });
  }
};

const textOf = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined);
