import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

export const root = join(import.meta.dirname, "../../..");
export const work = join(root, ".sst");
export const platform = join(work, "platform");
export const config = join(root, "sst.config.ts");

// what SST leaves to be resolved from its platform's own folder
const EXTERNAL = ["@pulumi/*", "undici", "@pulumiverse/*", "@sst-provider/*", "@aws-sdk/*", "esbuild", "archiver", "glob", "vite"];
const BANNER = `${[
  'import { createRequire as cjsRequire } from "node:module";',
  'import { fileURLToPath as cjsPath } from "node:url";',
  'const require = cjsRequire(import.meta.url), __filename = cjsPath(import.meta.url), __dirname = cjsPath(new URL(".", import.meta.url));',
].join("\n")}\n`;

type Ask = {
  readonly name: string;
  readonly code: string;
  readonly banner?: string;
  readonly define?: Record<string, string>;
  readonly inject?: string[];
  /** put before every file of the project: SST's globals */
  readonly globals?: string;
};

const made: string[] = [];
process.on("exit", () => {
  for (const file of made) rmSync(file, { force: true });
});

/** Bundles and imports code that uses `sst.config.ts`, as SST's CLI does (its `js.Build`). */
export const importBundled = async <T>({ name, code, banner = "", define = {}, inject = [], globals = "" }: Ask): Promise<T> => {
  // it must lie in the platform's folder: @pulumi/* is resolved from there
  const outfile = join(platform, `check.${name}.${process.pid}.mjs`);
  made.push(outfile);
  await build({
    stdin: { contents: code, resolveDir: root, sourcefile: "eval.ts", loader: "ts" },
    banner: { js: BANNER + banner },
    mainFields: ["module", "main"],
    format: "esm",
    platform: "node",
    sourcemap: "inline",
    nodePaths: [join(platform, "node_modules")],
    plugins: [
      {
        name: "no-top-level-imports",
        setup: ({ onResolve }) =>
          onResolve({ filter: /.*/ }, ({ importer, kind }) =>
            globals === "" && basename(importer) === "sst.config.ts" && kind === "import-statement"
              ? { errors: [{ text: "sst.config.ts must not have top-level imports" }] }
              : undefined,
          ),
      },
      {
        name: "globals",
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.(js|ts|jsx|tsx)$/ }, ({ path }) =>
            path.startsWith(work) ? undefined : { contents: `${globals}\n${readFileSync(path, "utf8")}`, loader: "default" },
          ),
      },
    ],
    external: EXTERNAL,
    define,
    inject,
    outfile,
    bundle: true,
    logLevel: "silent",
  });
  return ((await import(pathToFileURL(outfile).href)) as { default: T }).default;
};
