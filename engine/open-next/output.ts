import * as z from "zod";
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
  readonly server: Bundle /** it answers as a stream */ & { readonly streaming: boolean };
  readonly image: Bundle | null;
  readonly revalidation: Bundle | null;
  readonly assets: Omit<AssetPaths, "prefix">;
  readonly behaviors: readonly { readonly pattern: string; readonly origin: "s3" | "imageOptimizer" | "default" }[];
};

/** OpenNext's wrapper for a server that streams its answers through a Function URL. */
export const STREAMING_WRAPPER = "aws-lambda-streaming";

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
  const { s3, imageOptimizer, default: server, ...others } = origins;
  const split = Object.keys(others)[0];
  if (split !== undefined)
    throw new OutputRefused(`split functions are not supported (the build has "${split}"): remove "functions" from open-next.config.ts`);
  if (server.type !== "function" || server.bundle === undefined || server.handler === undefined)
    throw new OutputRefused(`a server of type "${server.type}" is not supported: use the aws-lambda wrapper in open-next.config.ts`);
  const { streaming = false, wrapper } = server;
  if (streaming && wrapper !== undefined && wrapper !== STREAMING_WRAPPER)
    throw new OutputRefused(`the wrapper "${wrapper}" is not supported: use "${STREAMING_WRAPPER}" in open-next.config.ts`);

  const assets = assetPathsOf(s3.copy);
  if ("refused" in assets) throw new OutputRefused(assets.refused);

  return {
    server: { ...bundleOf({ handler: server.handler, bundle: server.bundle }), streaming },
    image: imageOptimizer ? bundleOf(imageOptimizer) : null,
    revalidation: additionalProps.revalidationFunction ? bundleOf(additionalProps.revalidationFunction) : null,
    assets,
    behaviors: behaviors.map(({ pattern, origin }) => ({ pattern, origin: knownOrigin(pattern, origin) })),
  };
};

const bundleOf = ({ handler, bundle }: { handler: string; bundle: string }): Bundle => {
  const folder = bundle.replace(/^\.open-next\//, "");
  if (folder.split("/").includes("..") || folder.startsWith("/"))
    throw new OutputRefused(`the bundle "${bundle}" lies outside the build's output`);
  return { handler, folder };
};

const knownOrigin = (pattern: string, origin: string | undefined): "s3" | "imageOptimizer" | "default" => {
  if (origin === "s3" || origin === "imageOptimizer" || origin === "default") return origin;
  throw new OutputRefused(`the behaviour "${pattern}" goes to "${origin}", which is not supported`);
};

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OutputRefused("open-next.output.json is not JSON: the build was cut short", { cause: error });
  }
};
