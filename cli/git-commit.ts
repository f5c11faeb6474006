import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { GitCommit } from "../domain/deployment/shapes.ts";

/** The commit that a folder is at; `undefined` where it is in no repository, has no commit, or git is not installed. */
export async function readGitCommit(folder: string): Promise<GitCommit | undefined> {
  try {
    const [sha, author = "", message = ""] = (await git(folder, "log", "-1", "--format=%H%x00%an%x00%s")).split("\0");
    if (!sha) return undefined;
    const [branch, changes] = await Promise.all([git(folder, "branch", "--show-current"), git(folder, "status", "--porcelain", "--", ".")]);
    return {
      sha,
      ...(message === "" ? {} : { message: message.slice(0, 500) }),
      ...(author === "" ? {} : { author: author.slice(0, 200) }),
      ...(branch === "" ? {} : { branch: branch.slice(0, 250) }),
      dirty: changes !== "",
    };
  } catch {
    return undefined;
  }
}

/** A repository's own configuration may name a program to watch files with: not for us to start. */
const git = async (folder: string, ...words: string[]): Promise<string> => {
  const options = { cwd: folder, timeout: 10_000, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)("git", ["-c", "core.fsmonitor=false", ...words], options)).stdout.trim();
};
