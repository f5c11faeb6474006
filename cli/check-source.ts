import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MAX_SOURCE_BYTES } from "../client/contract.ts";
import { showBytes } from "../domain/wording.ts";
import { ArchiveRefused, type LeftOut, type ListedSource, listSource } from "../engine/zip/archive.ts";
import type { FoundLayout } from "./app-layout.ts";
import { errorAt, type Finding, unchecked, warningAt } from "./finding.ts";
import { checkLocalDependencies } from "./local-dependencies.ts";
import { trackedEnvFiles } from "./tracked-env.ts";

/** What would be uploaded, before it is packed. */
export type SourceSize = { readonly files: number; readonly bytes: number; readonly leftOut: readonly LeftOut[] };

/** From here on an upload is worth a look at what it holds. */
const LARGE_BYTES = 100_000_000;
const ENV_NAMES = /^[^\S\n]*(?:export\s+)?([A-Za-z_]\w*)[^\S\n]*=/gm;

/**
 * Lists what a deployment packs.
 *
 * @param variables names that the site declares, where the site is known
 * @param ownBuild what such an app installs is its own affair
 */
export async function checkSource(
  { layout, install }: FoundLayout,
  { variables, ownBuild }: { readonly variables: readonly string[] | undefined; readonly ownBuild: boolean },
): Promise<{ source?: SourceSize; findings: Finding[] }> {
  const { root, app } = layout;
  const { files: envFiles, note } = await trackedEnvFiles(root);
  const listed = await listSource(root, { envFiles }).catch((error: unknown) => {
    if (!(error instanceof ArchiveRefused)) throw error;
    return packingRefused(root, error);
  });
  if (!("files" in listed)) return { findings: [listed] };
  const bytes = listed.files.reduce((sum, { size }) => sum + size, 0);
  const needed = [
    ...(install === undefined ? [] : [install.lockfile]),
    "package.json",
    ...(app === undefined ? [] : [`${app}/package.json`]),
  ];
  return {
    source: { files: listed.files.length, bytes, leftOut: listed.leftOut },
    findings: [
      ...needed.flatMap((path) => ignoredFile(root, listed, path)),
      ...(ownBuild ? [] : checkLocalDependencies(layout, listed)),
      ...largeSource(root, listed, bytes),
      ...(await untrackedValues(root, listed.leftOut, variables)),
      ...(note === undefined ? [] : [unchecked("source.env", `In ${root} ${note}.`)]),
    ],
  };
}

/** Why a folder cannot be packed. */
export const packingRefused = (folder: string, { entry, message }: ArchiveRefused): Finding =>
  errorAt(
    "source.unpackable",
    entry === undefined ? `${message}.` : `${folder} cannot be packed: ${message}.`,
    entry === undefined ? "Nothing was deployed." : "Nothing was deployed. A line in .shiplogignore leaves a file out of the source.",
  );

/** A zip that the engine does not take, by what makes it large. */
export const sourceTooLarge = (folder: string, zipped: number, files: ListedSource["files"]): Finding =>
  errorAt(
    "source.large",
    `The source of ${folder} is ${showBytes(zipped)} packed, and the engine takes ${showBytes(MAX_SOURCE_BYTES)}: ${largest(files)}.`,
    "Name in .shiplogignore what the build does not need.",
  );

function ignoredFile(root: string, { files, leftOut }: ListedSource, path: string): Finding[] {
  const left = leftOut.find((one) => path === one.path || path.startsWith(`${one.path}/`));
  if (left === undefined || files.some((one) => one.path === path)) return [];
  const where = left.why === "shiplogignore" ? ".shiplogignore" : ".gitignore";
  return [
    errorAt(
      "source.ignored",
      `${join(root, path)} is left out of the source, because ${where} names it: the build cannot install without it.`,
      `Remove it from ${where}.`,
    ),
  ];
}

function largeSource(root: string, { files }: ListedSource, bytes: number): Finding[] {
  if (bytes < LARGE_BYTES) return [];
  const limit = bytes > MAX_SOURCE_BYTES ? `, and the engine takes ${showBytes(MAX_SOURCE_BYTES)} packed` : "";
  return [
    warningAt(
      "source.large",
      `The source of ${root} is ${showBytes(bytes)} before it is packed${limit}: ${largest(files)}.`,
      "Name in .shiplogignore what the build does not need.",
    ),
  ];
}

/** The three folders, or files, at the top that hold the most. */
function largest(files: ListedSource["files"]): string {
  const tops = new Map<string, number>();
  for (const { path, size } of files) {
    const top = path.split("/").slice(0, 2).join("/");
    tops.set(top, (tops.get(top) ?? 0) + size);
  }
  return [...tops]
    .sort(([, one], [, other]) => other - one)
    .slice(0, 3)
    .map(([top, size]) => `${top} ${showBytes(size)}`)
    .join(", ");
}

/** Values that a production build would read here, and cannot read where it runs. */
async function untrackedValues(root: string, leftOut: readonly LeftOut[], variables: readonly string[] | undefined): Promise<Finding[]> {
  const files = leftOut.filter(({ path, why }) => why === "secret" && /(^|\/)\.env(\.production)?$/.test(path));
  const findings: Finding[] = [];
  for (const { path } of files) {
    const text = await readFile(join(root, path), "utf8").catch(() => "");
    const names = [...text.matchAll(ENV_NAMES)].flatMap(([, name = ""]) => (variables?.includes(name) ? [] : [name]));
    if (names.length === 0) continue;
    const shown = [...new Set(names)].slice(0, 5).join(", ");
    findings.push(
      warningAt(
        "source.env-untracked",
        `${join(root, path)} is not tracked by git, so builds do not get its values (${shown}${names.length > 5 ? ", …" : ""}).`,
        `Declare them as "variables" of the site in shiplog.sites.json; or, where none is a secret: git add --force ${path}`,
      ),
    );
  }
  return findings;
}
