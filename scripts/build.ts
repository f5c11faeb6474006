import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { SITES_SCHEMA_FILE, sitesSchema } from "../blueprint/sites-schema.ts";
import metadata from "../package.json" with { type: "json" };
import { bundleClient } from "./bundle-client.ts";
import { importedPackages } from "./imported-packages.ts";

/**
 * Makes what is published, in `dist/`, and a tarball of each:
 *
 * - `dist/shiplog`: the command, the engine and the local AWS as JavaScript, and in `aws/` the sources that SST bundles,
 *   and `sites.schema.json` for editors;
 * - `dist/cli`: the commands that talk to an engine's API, in one small package without dependencies.
 *
 * `npm run build`; the repository itself needs no build.
 */
const root = join(import.meta.dirname, "..");
const dist = resolve(process.argv[2] ?? join(root, "dist"));
const run = (command: string, args: readonly string[], cwd = root): string =>
  execFileSync(join(root, "node_modules/.bin", command), args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const write = (file: string, manifest: object): void => writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);

const { version, license, type, sideEffects, engines, dependencies } = metadata;
const common = { version, license, type, sideEffects, engines };

/** What is compiled is what SST bundles too, but for infra, which has types of SST's own. */
const AWS_SOURCES = ["sst.config.ts", "infra", "blueprint", "domain", "engine", "services", "client", "dashboard"];
/** No TypeScript: other programs run them as they are. */
const PLAIN_SOURCES = ["local/lambda/bootstrap.mjs", "blueprint/edge-router.js", "blueprint/edge-answer.js"];
/** What CloudFront's runtime has for the router. */
const OF_CLOUDFRONT = "cloudfront";
const PACKAGES = ["shiplog", "cli"];
const NOTICES = ["LICENSE", "CHANGELOG.md"];

const buildEngine = (to: string): void => {
  run("tsc", ["-p", "tsconfig.build.json", "--outDir", to]);
  for (const name of PLAIN_SOURCES) cpSync(join(root, name), join(to, name));
  const start = readFileSync(join(root, "cli/start.mjs"), "utf8").replace("./shiplog.ts", "./shiplog.js");
  writeFileSync(join(to, "cli/start.mjs"), start, { mode: 0o755 });
  for (const name of AWS_SOURCES) cpSync(join(root, name), join(to, "aws", name), { recursive: true });
  write(join(to, "aws/package.json"), { name: "shiplog-on-aws", version, private: true, type, sideEffects });
  const undeclared = [...importedPackages(to)].filter((name) => !(name in dependencies) && name !== OF_CLOUDFRONT);
  if (undeclared.length > 0) throw new Error(`imported, and no dependency of package.json: ${undeclared.join(", ")}`);
  write(join(to, "package.json"), {
    name: metadata.name,
    description: metadata.description,
    ...common,
    bin: { shiplog: "cli/start.mjs" },
    exports: {
      "./client": { types: "./client/client.d.ts", default: "./client/client.js" },
      "./package.json": "./package.json",
      [`./${SITES_SCHEMA_FILE}`]: `./${SITES_SCHEMA_FILE}`,
    },
    dependencies,
    publishConfig: { access: "public", provenance: true },
  });
};

const buildClient = async (to: string): Promise<void> => {
  mkdirSync(to, { recursive: true });
  const name = `${dirname(metadata.name)}/cli`;
  await bundleClient(root, to, name);
  const start = readFileSync(join(root, "cli/start.mjs"), "utf8").replace("./shiplog.ts", "./shiplog.js");
  writeFileSync(join(to, "start.mjs"), start, { mode: 0o755 });
  write(join(to, "package.json"), {
    name,
    description: "Deploys, rolls back and asks a Shiplog engine: the commands that need its API alone",
    ...common,
    bin: { shiplog: "start.mjs" },
    publishConfig: { access: "public", provenance: true },
  });
};

mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist).filter((name) => PACKAGES.includes(name) || name.endsWith(".tgz")))
  rmSync(join(dist, name), { recursive: true });
buildEngine(join(dist, "shiplog"));
await buildClient(join(dist, "cli"));
for (const name of PACKAGES) {
  const folder = join(dist, name);
  write(join(folder, SITES_SCHEMA_FILE), sitesSchema());
  for (const notice of NOTICES) cpSync(join(root, notice), join(folder, notice));
  cpSync(join(root, `scripts/readme-${name}.md`), join(folder, "README.md"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", dist], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}
for (const file of readdirSync(dist).filter((name) => name.endsWith(".tgz"))) console.log(relative(process.cwd(), join(dist, file)));
