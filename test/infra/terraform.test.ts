import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { work } from "./support/bundle-config.ts";
import { changed, graphOf, stages } from "./support/graph.ts";
import { prepareTerraform, translate, validate } from "./support/terraform.ts";
import { findPlugins, type Machine } from "./support/terraform-plugins.ts";

const folder = mkdtempSync(join(work, "terraform-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const prepared = prepareTerraform(folder);

/** What AWS has since the newest provider that this was tried with. */
const NEWER = ["aws_lambda_permission.invoked_via_function_url"];
const NEWER_VALUES = ["got ECC_NIST_EDWARDS25519", "got nodejs24.x"];
const problems = (said: readonly string[]): string[] => said.filter((text) => !NEWER_VALUES.some((value) => text.includes(value)));

it.for(stages)("Terraform's AWS provider accepts every value of the stage %s", async (stage, { skip }) => {
  const ready = await prepared;
  if ("missing" in ready) return skip(ready.missing);
  const translated = translate(graphOf(stage), ready.schemas);
  expect(translated.unknown.filter((name) => !NEWER.includes(name))).toEqual([]);
  expect(Object.keys(translated.resources).length).toBeGreaterThan(20);
  expect(problems(await validate(folder, translated))).toEqual([]);
});

it("Terraform's AWS provider names a value out of its range", async ({ skip }) => {
  const ready = await prepared;
  if ("missing" in ready) return skip(ready.missing);
  const hidden = changed(graphOf("production"), "queue", "shiplog-advance", (inputs) => ({
    inputs: { ...inputs, visibilityTimeoutSeconds: 13 * 3600 },
  }));
  expect(problems(await validate(folder, translate(hidden, ready.schemas)))).toEqual([
    expect.stringContaining("visibility_timeout_seconds"),
  ]);
});

describe("AWS's provider is found", () => {
  /** An empty machine, and what puts a provider into one of its folders. */
  const emptyMachine = () => {
    const home = mkdtempSync(join(folder, "home-"));
    const machine: Machine = { env: { XDG_DATA_DIRS: join(home, "share") }, home, platform: "linux_arm64", packages: join(home, "opt") };
    const put = (place: string, ...versions: string[]): string => {
      for (const version of versions) mkdirSync(join(home, place, "registry.terraform.io/hashicorp/aws", version), { recursive: true });
      return join(home, place);
    };
    return { home, machine, put };
  };

  it.each([".terraform.d/plugins", ".terraform.d/plugin-cache", ".local/share/terraform/plugins", "share/terraform/plugins", "opt/any"])(
    "in %s, where nothing names it",
    (place) => {
      const { machine, put } = emptyMachine();
      expect(findPlugins(machine)).toEqual({ missing: expect.stringContaining("for linux_arm64) is in none of") });
      const at = put(place, "5.9.0/linux_arm64", "5.10.0/linux_arm64", "6.0.0/darwin_arm64");
      expect(findPlugins(machine)).toEqual({ folder: at, version: "5.10.0" });
    },
  );

  it.each(["SHIPLOG_TERRAFORM_PLUGINS", "TF_PLUGIN_CACHE_DIR"])("where %s says, packed too", (name) => {
    const { home, machine, put } = emptyMachine();
    put(".terraform.d/plugin-cache", "4.0.0/linux_arm64");
    const at = put("named", "terraform-provider-aws_5.1.0_linux_arm64.zip", "terraform-provider-aws_5.2.0_darwin_arm64.zip");
    expect(findPlugins({ ...machine, env: { ...machine.env, [name]: join(home, "named") } })).toEqual({ folder: at, version: "5.1.0" });
  });

  it.each([
    ["plugin_cache_dir", 'disable_checkpoint = true\nplugin_cache_dir = "$HOME/named"\n'],
    ["a filesystem mirror", 'provider_installation {\n  filesystem_mirror {\n    path    = "~/named"\n    include = ["*/*/*"]\n  }\n}\n'],
  ])("where %s of Terraform's configuration says", (_, text) => {
    const { home, machine, put } = emptyMachine();
    const at = put("named", "5.1.0/linux_arm64");
    writeFileSync(join(home, ".terraformrc"), `# plugin_cache_dir = "/nowhere"\n${text}`);
    expect(findPlugins(machine)).toEqual({ folder: at, version: "5.1.0" });
    const elsewhere = { ...machine.env, TF_CLI_CONFIG_FILE: join(home, "nowhere.tfrc") };
    expect(findPlugins({ ...machine, env: elsewhere })).toEqual({ missing: expect.stringContaining("hashicorp/aws") });
  });
});
