import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import metadata from "../package.json" with { type: "json" };
import { type Packed, releaseChecks } from "./release-checks.ts";

/** `npm run release`: builds what would be published, checks it, and says what a maintainer does next. It publishes nothing. */
const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const read = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 64 * 1024 ** 2 });
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

const filesOf = (folder: string): Packed[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((file) => ({ path: relative(folder, file), text: readFileSync(file, "utf8") }));

const { version } = metadata;
read(process.execPath, join(root, "scripts/build.ts"));
const checks = releaseChecks({
  version,
  lockVersion: (JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { version: string }).version,
  changelog: readFileSync(join(root, "CHANGELOG.md"), "utf8"),
  uncommitted: lines(read("git", "status", "--porcelain")),
  tags: lines(read("git", "tag", "--points-at", "HEAD")),
  packages: Object.fromEntries(["shiplog", "cli"].map((name) => [`dist/${name}`, filesOf(join(dist, name))])),
  builtIn: root,
});

const bom = JSON.parse(read("npm", "sbom", "--sbom-format=cyclonedx", "--omit=dev"));
bom.metadata.component.name = metadata.name;
writeFileSync(join(dist, "sbom.cdx.json"), `${JSON.stringify(bom, null, 2)}\n`);

for (const { what, wrong } of checks) {
  console.log(`${wrong.length === 0 ? "✓" : "✗"} ${what}`);
  for (const fault of wrong) console.log(`    ${fault}`);
}
console.log(`✓ SBOM of ${bom.components.length} packages: dist/sbom.cdx.json`);
if (checks.every(({ wrong }) => wrong.length === 0))
  console.log(`\nNothing was published. From CI, which signs where it came from (CONTRIBUTING.md, "A release"):
  npm publish --provenance dist/shiplog-deploy-shiplog-${version}.tgz
  npm publish --provenance dist/shiplog-deploy-cli-${version}.tgz`);
else process.exitCode = 1;
