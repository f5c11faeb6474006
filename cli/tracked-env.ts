import { realpath } from "node:fs/promises";
import { type Git, GitFailed, openGit, safeDirectories } from "./git.ts";
import { inRepository } from "./git-commit.ts";

/** What a production build of Next.js reads and a repository may hold. */
const READ_BY_BUILDS = [":(glob)**/.env", ":(glob)**/.env.production"];

/** The `.env` files that git tracks below a folder: no secrets of this machine, so they go with the source. */
export async function trackedEnvFiles(folder: string): Promise<{ files: readonly string[]; note?: string }> {
  if (!inRepository(await realpath(folder))) return { files: [] };
  const list = async (git: Git) => (await git("ls-files", "-z", "--cached", "--", ...READ_BY_BUILDS)).toString().split("\0").slice(0, -1);
  try {
    return { files: await list(openGit(folder)).catch(async () => list(openGit(folder, await safeDirectories()))) };
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    return { files: [], note: `which .env files git tracks cannot be told, so none goes along: ${error.message}` };
  }
}
