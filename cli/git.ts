import { execFile } from "node:child_process";
import { devNull } from "node:os";
import { promisify } from "node:util";

/** git did not do what it was asked; `message` is its own first line. */
export class GitFailed extends Error {
  override readonly name = "GitFailed";
}

/** Runs a plumbing command in the repository that its folder is in; answers what it printed. @throws GitFailed */
export type Git = (...words: string[]) => Promise<Buffer>;

const LIMITS = { timeout: 20_000, maxBuffer: 256 * 1024 * 1024 };

/**
 * A git that reads what is there and nothing else: no setting of the user's or of the machine's, no variable of a hook that
 * we may run under, no network, no replaced objects. A repository's own settings remain; the commands that are run through
 * it start none of the programs that these could name (fsmonitor, filters, hooks, gpg).
 */
export const openGit = (folder: string, allowed: readonly string[] = []): Git => {
  const environment = cleanEnvironment();
  const settings = [...NOTHING_RUNS, ...allowed.flatMap((directory) => ["-c", `safe.directory=${directory}`])];
  return async (...words) => {
    try {
      const { stdout } = await promisify(execFile)("git", [...settings, ...words], {
        cwd: folder,
        env: { ...environment, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_SYSTEM: devNull },
        encoding: "buffer",
        ...LIMITS,
      });
      return stdout;
    } catch (error) {
      throw new GitFailed(reasonOf(error), { cause: error });
    }
  };
};

/** The folders of other owners that the user, or the machine, declared as safe: that is a decision about trust, and stays. */
export const safeDirectories = async (): Promise<string[]> => {
  const words = ["config", "--null", "--get-all", "safe.directory"];
  // in a folder without a repository: none may declare itself safe
  const listed = promisify(execFile)("git", words, { cwd: "/", env: cleanEnvironment(), ...LIMITS });
  const text = await listed.then(({ stdout }) => stdout).catch(() => "");
  return text.split("\0").slice(0, -1);
};

const NOTHING_RUNS = ["-c", "core.fsmonitor=false", "-c", "protocol.allow=never"];

const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"))),
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C",
});

function reasonOf(error: unknown): string {
  const { code, killed, stderr = "" } = error as { code?: unknown; killed?: boolean; stderr?: Buffer | string };
  if (code === "ENOENT") return "git is not installed";
  if (killed) return "git took too long";
  return (
    String(stderr)
      .split("\n")[0]
      ?.replace(/^(fatal|error): /, "") || `git ended with ${String(code)}`
  );
}
