import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

export type BuiltHandler = {
  readonly handler: string;
  readonly out: string;
  readonly errors: readonly string[];
  readonly sourcemaps: readonly string[];
  readonly bytes: number;
};

/** What SST puts before every bundle, so that CommonJS inside works as an ES module. */
const BANNER = [
  "import { createRequire as topLevelCreateRequire } from 'module';",
  "const require = topLevelCreateRequire(import.meta.url);",
  'import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"',
  "const __filename = topLevelFileUrlToPath(import.meta.url)",
  'const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))',
].join("\n");

/**
 * Bundles a handler ("folder/file.export") with the options that SST's CLI uses for a deployment, so that a missing file,
 * an import that does not resolve and a missing export are errors here as they would be there.
 */
export const buildHandler = async (root: string, handler: string, out: string): Promise<BuiltHandler> => {
  const failed = (...errors: string[]): BuiltHandler => ({ handler: "", out, errors, sourcemaps: [], bytes: 0 });
  const [, path, name] = /^(.*)\.([^./]+)$/.exec(handler) ?? [];
  if (path === undefined || name === undefined) return failed(`${handler} is no handler: it must be folder/file.export`);
  const file = [".ts", ".mts", ".js", ".mjs"].map((ending) => join(root, path + ending)).find(existsSync);
  if (file === undefined) return failed(`the handler ${handler} has no file`);
  rmSync(out, { recursive: true, force: true });
  const outfile = join(out, "handler.mjs");
  try {
    const { metafile } = await build({
      entryPoints: [file],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "esnext",
      minify: true,
      keepNames: true,
      mainFields: ["module", "main"],
      external: ["sharp", "pg-native"],
      banner: { js: BANNER },
      metafile: true,
      logLevel: "silent",
    });
    const entry = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined);
    if (!entry?.exports.includes(name)) return failed(`${path} does not export "${name}"`);
  } catch (error) {
    const { errors = [{ text: String(error) }] } = error as { errors?: { text: string }[] };
    return failed(...errors.map(({ text }) => text));
  }
  return { handler: `handler.${name}`, out, errors: [], sourcemaps: [], bytes: statSync(outfile).size };
};
