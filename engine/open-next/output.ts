import * as z from "zod";
import { STREAMING_WRAPPER } from "../../blueprint/sites-runtime.ts";
import { FunctionName } from "../../domain/deployment/shapes.ts";
import { type AssetPaths, assetPathsOf } from "./asset-paths.ts";

/** The contract of an OpenNext build, `open-next.output.json`: the part that a release is made from. */
const Origin = z.object({
  type: z.string(),
  handler: z.string().optional(),
  bundle: z.string().optional(),
  streaming: z.boolean().optional(),
  wrapper: z.string().optional(),
});
const FunctionOrigin = z.object({
  type: z.literal("function"),
  handler: z.string(),
  bundle: z.string(),
  streaming: z.boolean().optional(),
});

const Output = z.object({
  edgeFunctions: z.record(z.string(), z.unknown()).default({}),
  origins: z
    .object({
      s3: z.object({
        copy: z.array(z.object({ from: z.string(), to: z.string(), cached: z.boolean(), versionedSubDir: z.string().optional() })),
      }),
      imageOptimizer: FunctionOrigin.optional(),
      default: Origin,
    })
    .catchall(Origin),
  behaviors: z.array(z.object({ pattern: z.string(), origin: z.string().optional(), edgeFunction: z.string().optional() })).min(1),
  additionalProps: z.object({ revalidationFunction: z.object({ handler: z.string(), bundle: z.string() }).optional() }).default({}),
});

export type Bundle = { readonly handler: string /** folder below the output's root */; readonly folder: string };
export type OpenNextOutput = {
  readonly server: Server;
  /** the servers of some paths alone, by the names that open-next.config.ts gives them */
  readonly split: readonly (Server & { readonly name: string; readonly patterns: readonly string[] })[];
  readonly image: Bundle | null;
  readonly revalidation: Bundle | null;
  readonly assets: Omit<AssetPaths, "prefix">;
};
type Server = Bundle /** it answers as a stream */ & { readonly streaming: boolean };

/** The build is not one that can be deployed. The message says to the app's developer what to change. */
export class OutputRefused extends Error {
  override readonly name = "OutputRefused";
}

/** Reads and judges `open-next.output.json`; what is not supported is refused here, before anything is written. */
export const readOutput = (text: string | undefined): OpenNextOutput => {
  if (text === undefined)
    throw new OutputRefused(
      'the build left no open-next.output.json: run "npx open-next build" in the buildspec and give .open-next as the base-directory of its artifacts',
    );
  const parsed = Output.safeParse(json(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new OutputRefused(
      `open-next.output.json does not have the expected shape (${issue?.path.join(".")}: ${issue?.message}): use @opennextjs/aws 4.x`,
    );
  }
  const { edgeFunctions, origins, behaviors, additionalProps } = parsed.data;
  const edge = Object.keys(edgeFunctions)[0] ?? behaviors.find((behavior) => behavior.edgeFunction !== undefined)?.edgeFunction;
  if (edge !== undefined)
    throw new OutputRefused(
      `edge functions are not supported (the build has "${edge}"): remove runtime = "edge" and external middleware from the app and open-next.config.ts`,
    );
  const astray = behaviors.find(({ origin = "" }) => !(origin in origins));
  if (astray !== undefined)
    throw new OutputRefused(`the behaviour "${astray.pattern}" goes to "${astray.origin ?? ""}", which the build does not have`);
  const { s3, imageOptimizer, default: server, ...others } = origins;
  const assets = assetPathsOf(s3.copy);
  if ("refused" in assets) throw new OutputRefused(assets.refused);

  return {
    server: serverOf(server),
    split: Object.entries(others).map(([name, origin]) => ({
      ...serverOf(origin),
      name,
      patterns: patternsOf(name, behaviors, assets.base),
    })),
    image: imageOptimizer ? bundleOf(imageOptimizer) : null,
    revalidation: additionalProps.revalidationFunction ? bundleOf(additionalProps.revalidationFunction) : null,
    assets,
  };
};

const serverOf = ({ type, handler, bundle, streaming = false, wrapper }: z.infer<typeof Origin>): Server => {
  if (type !== "function" || bundle === undefined || handler === undefined)
    throw new OutputRefused(`a server of type "${type}" is not supported: use the aws-lambda wrapper in open-next.config.ts`);
  if (streaming && wrapper !== undefined && wrapper !== STREAMING_WRAPPER)
    throw new OutputRefused(`the wrapper "${wrapper}" is not supported: use "${STREAMING_WRAPPER}" in open-next.config.ts`);
  return { ...bundleOf({ handler, bundle }), streaming };
};

/** What goes to a split function, below the app's basePath. */
const patternsOf = (name: string, behaviors: z.infer<typeof Output>["behaviors"], base: string): string[] => {
  if (!FunctionName.safeParse(name).success)
    throw new OutputRefused(
      `the name of the split function "${name}" is not supported: take at most 31 letters and digits in open-next.config.ts, the first of them a letter`,
    );
  const patterns = behaviors.filter(({ origin }) => origin === name).map(({ pattern }) => pathOf(pattern));
  if (patterns.length === 0)
    throw new OutputRefused(`the split function "${name}" has no paths: give it "patterns" in open-next.config.ts`);
  return patterns.map((pattern) => (base !== "" && pattern.startsWith(`${base}/`) ? pattern.slice(base.length + 1) : pattern)).sort();
};

/** OpenNext takes patterns as they are written, with a slash before them too, and puts the basePath before that. */
const pathOf = (pattern: string): string => pattern.replace(/\/{2,}/g, "/").replace(/^\//, "");

const bundleOf = ({ handler, bundle }: { handler: string; bundle: string }): Bundle => {
  const folder = bundle.replace(/^\.open-next\//, "");
  if (folder.split("/").includes("..") || folder.startsWith("/"))
    throw new OutputRefused(`the bundle "${bundle}" lies outside the build's output`);
  return { handler, folder };
};

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OutputRefused("open-next.output.json is not JSON: the build was cut short", { cause: error });
  }
};
