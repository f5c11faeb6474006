import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Unpacks SST's platform, which is inside the CLI that npm installed, into `.sst/` and installs its dependencies. Asks the
 * npm registry alone (and its cache first): no AWS account, no Pulumi download, no telemetry. Quick where it is there already.
 */
const root = join(import.meta.dirname, "..");
const platform = join(root, ".sst/platform");
const { version } = JSON.parse(readFileSync(join(root, "node_modules/sst/package.json"), "utf8")) as { version: string };

const installed = (): boolean =>
  existsSync(join(platform, "version")) &&
  readFileSync(join(platform, "version"), "utf8").trim() === version &&
  ["config.d.ts", "node_modules/@pulumi/aws/package.json", "node_modules/@pulumi/pulumi/package.json"].every((file) =>
    existsSync(join(platform, file)),
  );

// SST installs with bun 1.2.1 and a lockfile of bun's own: with npm it is slower, and transitive versions float
const bun = join(root, `node_modules/@oven/bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : "x64"}/bin/bun`);

if (installed()) console.error(`SST's platform ${version} is there already`);
else {
  const { status, error } = spawnSync(process.execPath, [join(root, "node_modules/sst/bin/sst.mjs"), "install", "--stage", "check"], {
    cwd: root,
    // the result goes to stderr like all progress
    stdio: ["ignore", 2, 2],
    env: {
      ...process.env,
      ...(existsSync(bun) ? { SST_BUN_PATH: bun } : { SST_NO_BUN: "1" }),
      SST_TELEMETRY_DISABLED: "1",
      SST_SKIP_DEPENDENCY_CHECK: "1",
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_prefer_offline: "true",
      npm_config_ignore_scripts: "true",
    },
  });
  if (status !== 0 || !installed()) {
    console.error(`SST's platform ${version} was not installed${error === undefined ? "" : `: ${error.message}`}.`);
    console.error("Its packages come from the npm registry: check that it can be reached, remove .sst and run this again.");
    process.exitCode = 1;
  }
}
