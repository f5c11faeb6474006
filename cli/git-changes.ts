import { createHash } from "node:crypto";
import { readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { type SourceRules, sourceRules, type ZippedEntry } from "../engine/zip/archive.ts";
import { type Git, openGit } from "./git.ts";

/** One file of a commit: git's mode, the id of its content, and the repository that has it. */
type Committed = { readonly mode: string; readonly id: string; readonly git: Git };

/**
 * Whether what was packed is something else than the commit has, of what the source takes in at all: a file that is not
 * committed, is committed differently, or is not there any more. Contents are compared, so no setting and no mark in
 * git's index (`assume-unchanged`, `skip-worktree`, excludes) hides a change. Line endings that git changes on the way
 * and content kept in Git LFS count as the same.
 */
export async function differsFromCommit(
  git: Git,
  folder: string,
  sha: string,
  packed: readonly ZippedEntry[],
  envFiles: readonly string[],
): Promise<boolean> {
  const committed = await filesOf(git, folder, sha, "");
  const executableIsKnown = (await git("config", "--type=bool", "core.filemode").catch(() => "true")).toString().trim() !== "false";
  for (const entry of packed) {
    const before = committed.get(entry.path);
    if (before === undefined) return true;
    committed.delete(entry.path);
    if (before.mode === LINK || entry.link) {
      if (before.mode !== LINK || !entry.link || blobId(Buffer.from(await readlink(join(folder, entry.path))), before.id) !== before.id)
        return true;
      continue;
    }
    if (executableIsKnown && (before.mode === EXECUTABLE) !== entry.executable) return true;
    const bytes = await readFile(join(folder, entry.path));
    if (blobId(bytes, before.id) !== before.id && !(await sameForGit(before.git, bytes, before.id))) return true;
  }
  const included = sourceRules(folder, { envFiles });
  for (const path of committed.keys()) if (await takenIn(path, included)) return true;
  return false;
}

const LINK = "120000";
const EXECUTABLE = "100755";
const SUBMODULE = "160000";

/** By path relative to the folder. What a submodule's commit has stands below the submodule's own path. */
async function filesOf(git: Git, folder: string, sha: string, prefix: string): Promise<Map<string, Committed>> {
  const listed = (await git("ls-tree", "-r", "-z", sha)).toString();
  const files = new Map<string, Committed>();
  for (const line of listed.split("\0").slice(0, -1)) {
    const [about = "", path = ""] = [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)];
    const [mode = "", , id = ""] = about.split(" ");
    if (mode !== SUBMODULE) files.set(`${prefix}${path}`, { mode, id, git });
    else if (await isRepository(join(folder, path)))
      for (const [below, file] of await filesOf(openGit(join(folder, path)), join(folder, path), id, `${prefix}${path}/`))
        files.set(below, file);
  }
  return files;
}

const isRepository = (folder: string): Promise<boolean> =>
  stat(join(folder, ".git")).then(
    () => true,
    () => false, // a submodule that was never fetched has no files here, and none were packed
  );

/** Git's id of a content, by the hash that the repository uses: 40 digits are SHA-1, 64 are SHA-256. */
const blobId = (bytes: Buffer, like: string): string =>
  createHash(like.length === 64 ? "sha256" : "sha1")
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest("hex");

/** Content that git itself would bring into this shape: other line endings, or a file of which the commit has an LFS pointer. */
async function sameForGit(git: Git, bytes: Buffer, id: string): Promise<boolean> {
  if (bytes.includes("\r\n") && blobId(Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\n"), "latin1"), id) === id) return true;
  const size = Number(await git("cat-file", "-s", id));
  if (size > LFS_POINTER_BYTES_MAX) return false;
  const [, oid] =
    /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n/.exec(
      (await git("cat-file", "blob", id)).toString(),
    ) ?? [];
  return oid !== undefined && createHash("sha256").update(bytes).digest("hex") === oid;
}

const LFS_POINTER_BYTES_MAX = 1_024;

/** Of a file that may not be there: every folder on the way must be taken in, too. */
async function takenIn(path: string, included: SourceRules): Promise<boolean> {
  const names = path.split("/");
  for (let depth = 1; depth < names.length; depth += 1) if (!(await included(names.slice(0, depth).join("/"), true))) return false;
  return included(path, false);
}
