import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GitCommit } from "../domain/deployment/shapes.ts";
import type { ZippedEntry } from "../engine/zip/archive.ts";
import { type Git, GitFailed, openGit, safeDirectories } from "./git.ts";
import { differsFromCommit } from "./git-changes.ts";

/** The commit of a folder; `note` says, for a person, why it or a part of it could not be read. */
export type ReadCommit = { readonly commit?: GitCommit; readonly note?: string };

/**
 * The commit that a folder is at, and whether what was packed of it differs from that commit. A folder in no repository has
 * none. Never throws for what git says: a deployment does not depend on it.
 */
export async function readGitCommit(
  folder: string,
  packed: readonly ZippedEntry[],
  /** tracked `.env` files that were packed, or would have been */
  envFiles: readonly string[] = [],
): Promise<ReadCommit> {
  if (!inRepository(await realpath(folder))) return {};
  let git = openGit(folder);
  try {
    const sha = await git("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}").catch(async (error: GitFailed) => {
      if (!error.message.includes("dubious ownership")) throw error;
      git = openGit(folder, await safeDirectories());
      return git("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}");
    });
    const commit = { sha: sha.toString().trim(), ...(await described(git, sha.toString().trim())) };
    try {
      return { commit: { ...commit, dirty: await differsFromCommit(git, folder, commit.sha, packed, envFiles) } };
    } catch (error) {
      return { commit, note: `whether the source differs from commit ${commit.sha.slice(0, 7)} cannot be told: ${reasonOf(error)}` };
    }
  } catch (error) {
    return { note: `no commit is recorded: ${reasonOf(error)}` };
  }
}

const reasonOf = (error: unknown): string => {
  if (error instanceof GitFailed && error.message === "Needed a single revision") return "the repository has no commit yet";
  if (error instanceof Error) return error.message;
  throw error;
};

export const inRepository = (folder: string): boolean => repositoryOf(folder) !== undefined;

/** The root of the repository that a folder is in. */
export function repositoryOf(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    if (existsSync(join(here, ".git"))) return here;
    if (here === dirname(here)) return undefined;
  }
}

async function described(git: Git, sha: string): Promise<Omit<GitCommit, "sha" | "dirty">> {
  const { author, message, committedAt } = parseCommit(await git("cat-file", "commit", sha));
  const branch = await git("symbolic-ref", "--quiet", "--short", "HEAD").then(
    (text) => text.toString().trim(),
    () => "", // a detached HEAD is at no branch
  );
  return {
    ...(message === "" ? {} : { message: cut(message, 500) }),
    ...(author === "" ? {} : { author: cut(author, 200) }),
    ...(branch === "" ? {} : { branch: cut(branch, 250) }),
    ...(committedAt === undefined ? {} : { committedAt }),
  };
}

/** The last second of a year of four digits: what lies behind it, or before 1970, is no time that the log can hold. */
const LAST_SECOND = 253_402_300_799;

/**
 * A commit object: headers, an empty line, the message; in UTF-8 where no header says otherwise. `committedAt`: ISO 8601 UTC;
 * absent where there is none, or none that the log can hold.
 */
export function parseCommit(object: Buffer): { author: string; message: string; committedAt?: string } {
  const bytes = object.toString("latin1");
  const end = bytes.indexOf("\n\n");
  const headers = bytes.slice(0, end === -1 ? undefined : end);
  const text = decoder(/^encoding (.+)$/m.exec(headers)?.[1]).decode(object);
  const body = text.indexOf("\n\n");
  const people = text.slice(0, body === -1 ? undefined : body);
  const [, author = ""] = /^author (.*?) ?<[^<>\n]*> -?\d+ [+-]\d+$/m.exec(people) ?? [];
  const seconds = Number(/^committer .*<[^<>\n]*> (\d+) [+-]\d+$/m.exec(people)?.[1] ?? Number.NaN);
  const [subject = ""] =
    body === -1
      ? []
      : text
          .slice(body)
          .trim()
          .split(/\n\s*\n/, 1);
  return {
    author: author.trim(),
    message: subject.replaceAll(/\s*\n\s*/g, " ").trim(),
    ...(seconds <= LAST_SECOND && { committedAt: new Date(seconds * 1_000).toISOString() }),
  };
}

function decoder(encoding = "utf-8"): { decode(bytes: Buffer): string } {
  try {
    return new TextDecoder(encoding);
  } catch {
    return new TextDecoder();
  }
}

/** Never half of a character. */
const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
