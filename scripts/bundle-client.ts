import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

/** What looks past the API at an account, or runs the engine: left to the whole package. */
const WHOLE_ENGINE = /^(local\/|operator\/|cli\/(account|examination|infrastructure|([a-z]+-)?rebuilding|verification)\.ts$)/;

/**
 * Bundles the command without what needs the engine's own code; a module that was left out says so when it is asked for.
 *
 * @param name of the package that it is for
 */
export const bundleClient = async (root: string, to: string, name: string): Promise<void> => {
  const { metafile } = await build({
    entryPoints: { shiplog: join(root, "cli/shiplog.ts") },
    outdir: to,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node22",
    minify: true,
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    mainFields: ["module", "main"],
    chunkNames: "chunk-[hash]",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    plugins: [leaveOut(root), named(name)],
    metafile: true,
    logLevel: "warning",
  });
  writeFileSync(join(to, "THIRD-PARTY.txt"), notices(root, metafile));
};

const leaveOut = (root: string): Plugin => ({
  name: "leave the engine out",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
      const file = relative(root, join(resolveDir, path)).split(sep).join("/");
      return kind === "dynamic-import" && WHOLE_ENGINE.test(file) ? { path: file, namespace: "left-out" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
      contents: 'import { needsEngine } from "./cli/needs-engine.ts"; throw needsEngine();',
      resolveDir: root,
    }));
  },
});

const named = (name: string): Plugin => ({
  name: "name the package",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]cli[\\/]own-package\.ts$/ }, () => ({ contents: `export const ownPackage = ${JSON.stringify(name)};` })),
});

/** The licences of what is in the bundle, as they ask for. */
const notices = (root: string, { inputs }: Metafile): string => {
  const folders = Object.keys(inputs).flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Record<string, string>;
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].map((name) => join(root, folder, name)).find(existsSync);
    return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(file, "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
};
