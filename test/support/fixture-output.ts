import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { IMAGE_FUNCTION, REVALIDATION_FUNCTION, serverFunction } from "./fixture-functions.ts";

export type Architecture = "x64" | "arm64";

/**
 * What can be wrong with a build's output.
 * A deployer must refuse all of these before it writes anything:
 * - `no-output-json`, `broken-output-json`: `open-next.output.json` is not there, or is cut in the middle;
 * - `no-server-bundle`: the server's folder has no `index.mjs`;
 * - `no-sharp`, `other-architecture`: the image function has no sharp binary, or one of another architecture;
 * - `edge-functions`, `ecs`: shapes of OpenNext that Shiplog does not deploy;
 * - `broken-server-files`, `broken-seeds`: the server's `required-server-files.json`, or the tag seeds, are cut in the middle;
 * - `other-build-id`: `BUILD_ID` is not the deployment's id, so that `revalidateTag` would silently do nothing.
 *
 * And these show only when the published version is called:
 * - `server-crashes`: the server's module throws when it is loaded;
 * - `server-answers-500`: it loads, and answers every request with 500;
 * - `split-crashes`: the modules of its split functions throw when they are loaded;
 * - `names-missing-style`: its pages name a style that the build does not have.
 */
export type OutputFault =
  | "no-output-json"
  | "broken-output-json"
  | "no-server-bundle"
  | "no-sharp"
  | "other-architecture"
  | "edge-functions"
  | "ecs"
  | "broken-server-files"
  | "broken-seeds"
  | "other-build-id"
  | "server-crashes"
  | "server-answers-500"
  | "split-crashes"
  | "names-missing-style";

export type FixtureOutput = {
  /** The deployment's id; every page, JSON answer and `release.txt` names it. */
  releaseId: string;
  /** Of the sharp binary in the image function. Default: this machine's. */
  architecture?: Architecture;
  fault?: OutputFault;
  /** As in next.config: the app lives below it. With one of these two the pages name a script and a style. */
  basePath?: string;
  assetPrefix?: string;
  /** Split functions, as OpenNext writes them from its configuration: the paths of each. */
  split?: Readonly<Record<string, readonly string[]>>;
  /** As Next.js 15 builds an app of the Pages Router: with an id of its own, and pages that name the manifest of that id. */
  pagesRouter?: boolean;
  /** The server answers 500 as long as there is a file with this absolute path; a number in it says how often. */
  downWhile?: string;
  /** So many more files of its `public/`: `docs/more-1.txt` … */
  publicFiles?: number;
  /** The server streams, as with OpenNext's wrapper of that name, or of a wrapper that no Function URL has. */
  streaming?: "aws-lambda-streaming" | "aws-apigw-streaming";
};

/**
 * Writes a tiny output of OpenNext into `dir` (the `.open-next` folder itself), as a build of a Next.js app would have left it:
 * the same files, names and formats as OpenNext 4.1.12, a few kilobytes, without a build.
 * The server answers `/`, `/ssr` and `/api/hello`, each with `?wait=<ms>`; every other path is 404.
 */
export async function writeFixtureOutput(dir: string, output: FixtureOutput): Promise<void> {
  for (const [path, content] of Object.entries(fixtureFiles(output))) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

/** Every file of the output: path below `.open-next` → content. */
export function fixtureFiles({
  releaseId,
  architecture = machineArchitecture(),
  fault,
  downWhile,
  streaming,
  basePath = "",
  assetPrefix = basePath,
  split = {},
  pagesRouter = false,
  publicFiles = 0,
}: FixtureOutput): Record<string, string> {
  const id = pagesRouter || fault === "other-build-id" ? "another-build" : releaseId;
  const manifest = `_next/static/${id}/_buildManifest.js`;
  const styles = fault === "names-missing-style" || assetPrefix !== "" ? namedFiles(assetPrefix, fault) : "";
  const named = pagesRouter ? `${styles}<script src="${assetPrefix}/${manifest}" defer=""></script>` : styles;
  const arch = fault === "other-architecture" ? otherThan(architecture) : architecture;
  const server = "server-functions/default";
  const image = "image-optimization-function";
  const sharp = `${image}/node_modules/@img/sharp-linux-${arch}`;
  const page = `route-cache/APP_PAGE/${createHash("sha256").update("/").digest("hex")}/$/index`;
  const serverFiles = json({ config: { deploymentId: releaseId, basePath, assetPrefix } });
  const cut = (text: string, where: OutputFault): string => (fault === where ? text.slice(0, -9) : text);
  const preview = previewKeysOfBuild(releaseId);
  // Other routes in each build, so that the revalidation function of each release has other code.
  const prerendered = json({ routes: {}, dynamicRoutes: { [`/of-${releaseId}/[page]`]: {} }, preview });
  const buildFiles = { ".next/BUILD_ID": id, ".next/required-server-files.json": cut(serverFiles, "broken-server-files") };
  const serverOnly = { ".next/prerender-manifest.json": prerendered, ".next/server/preview-props.json": json(preview) };

  const files: Record<string, string> = {
    "open-next.output.json": json(outputJson(fault, { basePath, streaming, split })),
    ".build/open-next.config.mjs": "export default {};\n",
    ...below("assets", {
      BUILD_ID: id,
      "robots.txt": "User-agent: *\nAllow: /\n",
      "release.txt": `${releaseId}\n`,
      "docs/guide.txt": "A public file in a folder of its own.\n",
      "docs/read me [1].txt": "A public file whose name has spaces and brackets.\n",
      ...Object.fromEntries(Array.from({ length: publicFiles }, (_, n) => [`docs/more-${n + 1}.txt`, `${n + 1}\n`])),
      [SCRIPT]: "globalThis.shared = true;\n",
      ...(named !== "" && { [STYLE]: "body { color: teal }\n" }),
      [manifest]: `globalThis.release = "${releaseId}";\n`,
    }),
    ...below("cache", {
      [`${id}/${page}.cache`]: json({ type: "app", meta: { headers: {} }, html: `<p>${releaseId}</p>`, rsc: "" }),
      [`__fetch/${id}/${createHash("sha256").update("tide").digest("hex")}`]: json({ kind: "FETCH", revalidate: false, tags: ["tide"] }),
    }),
    "dynamodb-provider/index.mjs": "export const handler = async () => ({ type: 'initializationFunction' });\n",
    "dynamodb-provider/dynamodb-cache.json": cut(json(tagSeeds(id, page)), "broken-seeds"),
    ...below(server, {
      "index.mjs": serverFunction(releaseId, fault, { downWhile, basePath, named, streaming: streaming !== undefined }),
      ...buildFiles,
      ...serverOnly,
    }),
    ...splitFiles(split, (name) => ({
      "index.mjs": serverFunction(releaseId, fault === "split-crashes" ? "server-crashes" : fault, {
        ...{ downWhile, basePath, named, answeredBy: name },
        streaming: streaming !== undefined,
      }),
      ...buildFiles,
      ...serverOnly,
    })),
    ...below(image, { "index.mjs": IMAGE_FUNCTION, ...buildFiles }),
    ...below(sharp, {
      "package.json": json({ name: `@img/sharp-linux-${arch}`, version: "0.35.5", os: ["linux"], cpu: [arch] }),
      [`lib/sharp-linux-${arch}-0.35.5.node`]: "not a real binary\n",
    }),
    "revalidation-function/index.mjs": REVALIDATION_FUNCTION,
    "revalidation-function/prerender-manifest.json": prerendered,
    "warmer-function/index.mjs": "export const handler = async () => ({});\n",
  };
  return Object.fromEntries(Object.entries(files).filter(([path]) => !isOmitted(path, fault, server, sharp)));
}

/** As random as Next.js makes them, in each build. */
export const previewKeysOfBuild = (releaseId: string) => {
  const random = (name: string): string => createHash("sha256").update(`${name} of ${releaseId}`).digest("hex");
  return {
    previewModeId: random("id").slice(0, 32),
    previewModeSigningKey: random("signing key"),
    previewModeEncryptionKey: random("encryption key"),
  };
};

const splitFiles = (split: object, filesOf: (name: string) => Record<string, string>): Record<string, string> =>
  Object.assign({}, ...Object.keys(split).map((name) => below(`server-functions/${name}`, filesOf(name))));

const SCRIPT = "_next/static/chunks/shared-0a1b2c3d4e5f.js";
const STYLE = "_next/static/css/page-0a1b2c3d4e5f.css";

/** As Next.js writes them, with the release's id behind. */
const namedFiles = (prefix: string, fault: OutputFault | undefined): string =>
  `<link rel="stylesheet" href="${prefix}/${fault === "names-missing-style" ? "_next/static/css/gone.css" : STYLE}?dpl=x" data-precedence="next"/><script src="${prefix}/${SCRIPT}?dpl=x" async=""></script>`;

function isOmitted(path: string, fault: OutputFault | undefined, server: string, sharp: string): boolean {
  if (fault === "no-output-json") return path === "open-next.output.json";
  if (fault === "no-server-bundle") return path === `${server}/index.mjs`;
  return fault === "no-sharp" && path.startsWith(sharp);
}

/** `open-next.output.json`; cut in the middle, it is a string that is no JSON. */
function outputJson(
  fault: OutputFault | undefined,
  {
    basePath,
    streaming,
    split,
  }: { basePath: string; streaming: FixtureOutput["streaming"]; split: Readonly<Record<string, readonly string[]>> },
): object | string {
  const below = (pattern: string): string => (basePath === "" ? pattern : `${basePath.slice(1)}/${pattern}`);
  const lambda = { type: "function", handler: "index.handler", streaming: false, wrapper: "aws-lambda", converter: "aws-apigw-v2" };
  const overrides = { queue: "sqs", incrementalCache: "s3", tagCache: "dynamodb" };
  const wrapped = streaming === undefined ? lambda : { ...lambda, streaming: true, wrapper: streaming };
  const server = { ...wrapped, bundle: ".open-next/server-functions/default", ...overrides };
  const output = {
    edgeFunctions: fault === "edge-functions" ? { middleware: { bundle: ".open-next/middleware", handler: "handler.handler" } } : {},
    origins: {
      s3: {
        type: "s3",
        originPath: "_assets",
        copy: [
          { from: ".open-next/assets", to: `_assets${basePath}`, cached: true, versionedSubDir: below("_next") },
          { from: ".open-next/cache", to: "_cache", cached: false },
        ],
      },
      imageOptimizer: { ...lambda, bundle: ".open-next/image-optimization-function", imageLoader: "s3" },
      default:
        fault === "ecs" ? { type: "ecs", bundle: server.bundle, wrapper: "node", converter: "node", dockerfile: "Dockerfile" } : server,
      ...Object.fromEntries(Object.keys(split).map((name) => [name, { ...server, bundle: `.open-next/server-functions/${name}` }])),
    },
    // In the order that OpenNext writes them: `*` stands before what belongs to S3.
    behaviors: [
      { pattern: below("_next/image*"), origin: "imageOptimizer" },
      ...Object.entries(split).flatMap(([origin, patterns]) => patterns.map((pattern) => ({ pattern: below(pattern), origin }))),
      { pattern: below("_next/data/*"), origin: "default" },
      { pattern: "*", origin: "default" },
      ...["BUILD_ID", "_next/*", "docs/*", "release.txt", "robots.txt"].map((pattern) => ({ pattern: below(pattern), origin: "s3" })),
    ],
    additionalProps: {
      warmer: { handler: "index.handler", bundle: ".open-next/warmer-function" },
      initializationFunction: { handler: "index.handler", bundle: ".open-next/dynamodb-provider" },
      revalidationFunction: { handler: "index.handler", bundle: ".open-next/revalidation-function" },
    },
  };
  return fault === "broken-output-json" ? json(output).slice(0, 200) : output;
}

/** The seeds of the tag table, in DynamoDB's own JSON: which cached paths a tag reaches. */
function tagSeeds(id: string, page: string): object[] {
  return ["_N_T_/layout", "_N_T_/page", "_N_T_/", "tide"].map((tag) => ({
    tag: { S: `${id}/${tag}` },
    path: { S: `${id}/${page}` },
    revalidatedAt: { N: "1" },
  }));
}

const json = (value: object | string): string => (typeof value === "string" ? value : JSON.stringify(value));

const below = (folder: string, files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));

export const machineArchitecture = (): Architecture => (process.arch === "arm64" ? "arm64" : "x64");
const otherThan = (architecture: Architecture): Architecture => (architecture === "x64" ? "arm64" : "x64");
