import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** What of a machine decides where Terraform has its providers. */
export type Machine = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** "linux_amd64": the folder of a provider's files for this machine */
  readonly platform: string;
  /** where software of others is put, a folder each: images of machines have a mirror of providers there */
  readonly packages: string;
};

/** A folder of providers (its own name comes first in each path: a mirror), and the version of AWS's in it. */
export type Plugins = { readonly folder: string; readonly version: string };

const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows" };
const PROCESSORS: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
export const thisMachine = (): Machine => ({
  env: process.env,
  home: homedir(),
  platform: `${SYSTEMS[process.platform] ?? process.platform}_${PROCESSORS[process.arch] ?? process.arch}`,
  packages: "/opt",
});

/** AWS's provider where Terraform finds it without a network, else what is missing. */
export const findPlugins = (machine: Machine): Plugins | { readonly missing: string } => {
  const places = [...new Set(placesOf(machine))];
  for (const folder of places) {
    const version = newest(folder, machine.platform);
    if (version !== undefined) return { folder, version };
  }
  const looked = places.map((place) => place.replace(machine.home, "~")).join(", ");
  return {
    missing: `terraform is installed, but AWS's provider (registry.terraform.io/hashicorp/aws for ${machine.platform}) is in none of ${looked}; SHIPLOG_TERRAFORM_PLUGINS may name its folder`,
  };
};

const AWS = "registry.terraform.io/hashicorp/aws";
/** A mirror has a provider's files unpacked, in a folder of its version and platform, or packed, in a file that is called so. */
const newest = (folder: string, platform: string): string | undefined => {
  const versions = entries(join(folder, AWS)).flatMap((name) => {
    if (existsSync(join(folder, AWS, name, platform))) return [name];
    const [, packed, of] = /^terraform-provider-aws_([^_]+)_(.+)\.zip$/.exec(name) ?? [];
    return packed !== undefined && of === platform ? [packed] : [];
  });
  return versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
};

const placesOf = ({ env, home, packages }: Machine): string[] => {
  const data = [env.XDG_DATA_HOME ?? join(home, ".local/share"), ...(env.XDG_DATA_DIRS ?? "/usr/local/share:/usr/share").split(delimiter)];
  return [
    ...said(env.SHIPLOG_TERRAFORM_PLUGINS),
    ...configFiles(env, home).flatMap(foldersIn(home)),
    ...said(env.TF_PLUGIN_CACHE_DIR),
    join(home, ".terraform.d/plugins"),
    join(home, ".terraform.d/plugin-cache"),
    ...data.map((folder) => join(folder, "terraform/plugins")),
    ...entries(packages)
      .map((name) => join(packages, name))
      .filter((folder) => existsSync(join(folder, AWS))),
  ];
};

const configFiles = (env: Machine["env"], home: string): string[] => {
  const own = env.TF_CLI_CONFIG_FILE ?? env.TERRAFORM_CONFIG ?? join(home, ".terraformrc");
  const more = entries(join(home, ".terraform.d")).filter((name) => name.endsWith(".tfrc"));
  return [own, ...more.map((name) => join(home, ".terraform.d", name))].filter((file) => existsSync(file));
};
/** Terraform's CLI configuration: its cache of plugins, and its mirrors that are folders. */
const foldersIn =
  (home: string) =>
  (file: string): string[] => {
    const text = readFileSync(file, "utf8").replace(/^\s*(#|\/\/).*$/gm, "");
    const found = [/plugin_cache_dir"?\s*[=:]\s*"([^"]+)"/g, /filesystem_mirror[^}]*?path"?\s*[=:]\s*"([^"]+)"/g];
    return found
      .flatMap((pattern) => [...text.matchAll(pattern)].map(([, folder = ""]) => folder))
      .map((folder) => folder.replace(/^~(?=\/)|^\$HOME(?=\/)/, home));
  };

const said = (folder: string | undefined): string[] => (folder === undefined || folder === "" ? [] : [folder]);
const entries = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // a place that this machine does not have
  }
};
