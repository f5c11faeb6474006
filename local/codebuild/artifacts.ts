import { createHash } from "node:crypto";
import { readFile, realpath, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { NPM_LINKS } from "../../blueprint/buildspec.ts";
import { ArchiveRefused, zipDirectory } from "../../engine/zip/archive.ts";
import { type ArtifactTarget, PhaseFailed } from "./build.ts";
import type { Buildspec } from "./buildspec.ts";

export type Uploaded = { readonly location: string; readonly sha256sum: string; readonly md5sum: string };

/** Zips what the buildspec's artifacts section names and puts it where the build's artifact goes. */
export async function uploadArtifact(
  s3: S3Client,
  artifacts: NonNullable<Buildspec["artifacts"]>,
  target: ArtifactTarget,
  src: string,
  scratchFile: string,
  signal: AbortSignal,
): Promise<Uploaded> {
  const base = await baseFolder(src, artifacts["base-directory"]);
  await rm(scratchFile, { force: true });
  const zipped = await zipDirectory(base, scratchFile, {
    include: selects(artifacts.files, artifacts["exclude-paths"]),
    symlinks: artifacts["enable-symlinks"] ? "keep" : "follow",
  }).catch((error: unknown) => {
    if (!(error instanceof ArchiveRefused)) throw error;
    throw new PhaseFailed("CLIENT_ERROR", `the artifact cannot be packed: ${error.message}${wayOut(error)}`, { cause: error });
  });
  if (zipped.files === 0) throw new PhaseFailed("CLIENT_ERROR", "no matching artifact paths found");
  const body = await readFile(scratchFile);
  await s3
    .send(new PutObjectCommand({ Bucket: target.bucket, Key: target.key, Body: body, ContentType: "application/zip" }), {
      abortSignal: signal,
    })
    .catch((cause: unknown) => {
      signal.throwIfAborted();
      const where = `s3://${target.bucket}/${target.key}`;
      throw new PhaseFailed("CLIENT_ERROR", `error in uploading the artifact to ${where}: ${(cause as Error).message}`, { cause });
    });
  return {
    location: `arn:aws:s3:::${target.bucket}/${target.key}`,
    sha256sum: zipped.sha256Hex,
    md5sum: createHash("md5").update(body).digest("hex"),
  };
}

const wayOut = ({ reason }: ArchiveRefused): string =>
  reason === "link-leaves-folder"
    ? `; leave it out with exclude-paths in the buildspec's artifacts, for npm's own links "${NPM_LINKS}"`
    : "";

async function baseFolder(src: string, directory = "."): Promise<string> {
  const missing = () => new PhaseFailed("CLIENT_ERROR", `no matching base directory path found for ${directory}`);
  const root = await realpath(src);
  const base = await realpath(join(src, directory)).catch(() => {
    throw missing();
  });
  if (base !== root && !base.startsWith(root + sep)) throw missing();
  if (!(await stat(base)).isDirectory()) throw missing();
  return base;
}

/**
 * Which paths the globs of `files` name and those of `exclude-paths` do not. `*` and `?` stay within one name, `**`
 * spans folders, `{a,b}` is either; names that begin with a dot are matched like others, and brackets are plain
 * characters ("[slug]" is a common folder name in Next.js). Folders are looked into only where a match can be.
 */
export function selects(files: readonly string[], excluded: readonly string[]): (path: string, directory: boolean) => boolean {
  const wanted = files.map(normal);
  const patterns = wanted.map(globToRegExp);
  const fixed = wanted.map(fixedPart);
  const unwanted = excluded.map(normal).map(globToRegExp);
  return (path, directory) => {
    if (unwanted.some((pattern) => pattern.test(path))) return false;
    if (!directory) return patterns.some((pattern) => pattern.test(path));
    const below = `${path}/`;
    return fixed.some((part) => part.startsWith(below) || below.startsWith(part));
  };
}

const normal = (glob: string) => glob.replace(/^(\.?\/)+/, "");

/** The folders of a glob up to its first wildcard, with a final slash: ".next/cache/**" → ".next/cache/". */
export const fixedPart = (glob: string): string => {
  const wildcard = glob.search(/[*?{]/);
  return glob.slice(0, (wildcard === -1 ? glob : glob.slice(0, wildcard)).lastIndexOf("/") + 1);
};

const globToRegExp = (glob: string): RegExp => {
  const source = glob.replace(/\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[.+^$()|[\]\\{}]/g, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.length > 1)
      return `(?:${token
        .slice(1, -1)
        .split(",")
        .map((option) => globToRegExp(option).source.slice(1, -1))
        .join("|")})`;
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`, "s");
};
