import metadata from "../package.json" with { type: "json" };

/** A package of npm, at one version. */
export type Package = { readonly name: string; readonly version: string };

/** The small package that CI installs (docs/adr/0032). Its scope is that of the repository's own. */
export const CLI_PACKAGE: Package = { name: metadata.name.replace(/\/.*/s, "/cli"), version: metadata.version };
