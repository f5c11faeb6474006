import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCommit, readGitCommit } from "../../cli/git-commit.ts";
import { zipSource } from "../../engine/zip/archive.ts";

let folder: string;
let repository: string;
let app: string;
let home: string;
const at = (root: string): void => {
  folder = root;
  repository = join(folder, "repository");
  app = join(repository, "apps/web");
  home = join(folder, "home");
};
let template: string;
beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), "git-commit-"));
  at(template);
  await write("package.json", "{}");
  await write("page.txt", "hello\n");
  await write("run.sh", "#!/bin/sh\n");
  await write(".gitignore", "*.log\n");
  await write(".env", "SECRET=1\n");
  await write("../docs/page.txt", "docs\n");
  await git("init", "--quiet", "--initial-branch", "main");
  await commit("First\nline\n\nbody");
});
afterAll(() => rm(template, { recursive: true, force: true }));
beforeEach(async () => {
  at(await mkdtemp(join(tmpdir(), "git-commit-")));
  await cp(join(template, "repository"), repository, { recursive: true });
  await mkdir(home);
  vi.stubEnv("HOME", home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const write = async (path: string, text: string | Buffer): Promise<void> => {
  await mkdir(dirname(join(app, path)), { recursive: true });
  await writeFile(join(app, path), text);
};
/** When everything here was committed; it was written long before. */
const COMMITTED = "2026-11-27T08:00:00+02:00";
const COMMITTED_UTC = "2026-11-27T06:00:00.000Z";
const gitIn = async (cwd: string, ...words: string[]): Promise<string> => {
  const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "protocol.file.allow=always"];
  const env = { ...process.env, GIT_AUTHOR_DATE: "2020-01-01T00:00:00Z", GIT_COMMITTER_DATE: COMMITTED };
  return (await promisify(execFile)("git", [...who, ...words], { cwd, env })).stdout.trim();
};
const git = (...words: string[]): Promise<string> => gitIn(repository, ...words);
const commit = async (message: string): Promise<string> => {
  await git("add", "--all", "--force", ".");
  await git("commit", "--quiet", "--allow-empty", "--message", message);
  return git("rev-parse", "HEAD");
};
const read = async (dir = app) => readGitCommit(dir, (await zipSource(dir, join(folder, "source.zip"))).entries);

describe("the commit of a deployment", () => {
  it("is what the folder is at", async () => {
    const sha = await git("rev-parse", "HEAD");
    expect(await read()).toEqual({
      commit: { sha, author: "Ada", message: "First line", branch: "main", committedAt: COMMITTED_UTC, dirty: false },
    });
  });

  it.each([
    ["one before 1970", "-1 +0000", undefined],
    ["the first second of 1970", "0 +0000", "1970-01-01T00:00:00.000Z"],
    ["one in another zone", "1764230400 -0930", "2025-11-27T08:00:00.000Z"],
    ["the last that has a year of four digits", "253402300799 +0000", "9999-12-31T23:59:59.000Z"],
    ["one that no calendar has", "99999999999999999 +0000", undefined],
    ["none", "", undefined],
  ])("has the committer's time, in UTC, of %s where the log can hold it", (_, time, committedAt) => {
    const object = `tree 1\nauthor Ada <a@b> 5 +0000\ncommitter Ada <a@b>${time && ` ${time}`}\n\ncommitter x <a@b> 7 +0000\n`;
    expect(parseCommit(Buffer.from(object)).committedAt).toBe(committedAt);
  });

  it("is the same whatever git is set to, and no program of a setting is started", async () => {
    const before = await read();
    const ran = join(folder, "ran");
    const program = join(folder, "program.sh");
    await writeFile(program, `#!/bin/sh\ntouch '${ran}'\nexit 1\n`);
    await chmod(program, 0o755);
    const settings = [
      "[log]\nshowSignature = true\nmailmap = true\n[i18n]\nlogOutputEncoding = latin1\n[color]\nui = always",
      `[core]\nfsmonitor = ${program}\npager = ${program}\nexcludesFile = /nowhere\nautocrlf = true\n[status]\nshowUntrackedFiles = no`,
      `[gpg]\nprogram = ${program}\n[diff]\nexternal = ${program}\n[filter "evil"]\nclean = ${program}\nsmudge = ${program}\nrequired = true`,
      "[alias]\nrev-parse = !false\n[core]\nbare = true",
    ].join("\n");
    await writeFile(join(home, ".gitconfig"), settings);
    await write("../../.git/info/attributes", "* filter=evil diff=evil\n");
    for (const [name, value] of [
      ["core.fsmonitor", program],
      ["filter.evil.clean", program],
      ["log.showSignature", "true"],
    ] as const)
      await promisify(execFile)("git", ["config", "--file", join(repository, ".git/config"), name, value]);
    // as a hook has it, of another repository
    const other = join(folder, "other");
    await cp(repository, other, { recursive: true });
    for (const [name, value] of Object.entries({
      GIT_DIR: join(other, ".git"),
      GIT_WORK_TREE: other,
      GIT_INDEX_FILE: join(other, ".git/none"),
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.worktree",
      GIT_CONFIG_VALUE_0: "/nowhere",
      GIT_TRACE: "1",
      GIT_EXTERNAL_DIFF: program,
    }))
      vi.stubEnv(name, value);
    expect(await read()).toEqual(before);
    vi.unstubAllEnvs();
    await expect(promisify(execFile)("cat", [ran])).rejects.toThrow("No such file");
  });

  it("is read of a worktree, a shallow clone, a detached HEAD and a folder reached by a link", async () => {
    const sha = await commit("Second");
    await git("worktree", "add", "--quiet", "--detach", join(folder, "tree"));
    await gitIn(folder, "clone", "--quiet", "--depth", "1", `file://${repository}`, "shallow");
    await symlink(app, join(folder, "link"));
    expect(await read(join(folder, "tree/apps/web"))).toEqual({
      commit: { sha, author: "Ada", message: "Second", committedAt: COMMITTED_UTC, dirty: false },
    });
    expect(await read(join(folder, "shallow/apps/web"))).toMatchObject({ commit: { sha, branch: "main", dirty: false } });
    expect(await read(join(folder, "link"))).toMatchObject({ commit: { sha, branch: "main", dirty: false } });
  });

  it("has its author and message in the commit's own encoding", async () => {
    await writeFile(join(folder, "message"), Buffer.from("Grüße\n", "latin1"));
    await git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--quiet", "--allow-empty", "--file", join(folder, "message"));
    expect((await read()).commit?.message).toBe("Grüße");
    const object =
      "tree 1\nauthor  <a@b> 1 +0000\ncommitter x <a@b> 1 +0000\nencoding klingon\ngpgsig -----BEGIN\n \n -----END\n\n\nOne\ntwo\n\nthree\n";
    expect(parseCommit(Buffer.from(object))).toEqual({
      author: "",
      message: "One two",
      committedAt: "1970-01-01T00:00:01.000Z",
    });
  });

  it("is none, without a word, in no repository; and a note where it cannot be read", async () => {
    await cp(app, join(folder, "alone"), { recursive: true });
    expect(await read(join(folder, "alone"))).toEqual({});
    await gitIn(join(folder, "alone"), "init", "--quiet");
    expect(await read(join(folder, "alone"))).toEqual({ note: "no commit is recorded: the repository has no commit yet" });
    vi.stubEnv("PATH", join(folder, "nowhere"));
    expect(await read()).toEqual({ note: "no commit is recorded: git is not installed" });
  });

  it.runIf(process.getuid?.() === 0)("of somebody else's repository is a note, unless that is declared as safe", async () => {
    await promisify(execFile)("chown", ["-R", "12345", repository]);
    expect(await read()).toEqual({ note: expect.stringContaining("dubious ownership") });
    await writeFile(join(home, ".gitconfig"), `[safe]\ndirectory = ${repository}\n[log]\nshowSignature = true\n`);
    expect(await read()).toMatchObject({ commit: { author: "Ada", dirty: false } });
  });
});

describe("a source differs from its commit", () => {
  const dirty = async (): Promise<boolean | undefined> => (await read()).commit?.dirty;

  it.each<[string, () => Promise<unknown>]>([
    ["a file was changed", () => write("page.txt", "hallo\n")],
    ["a file of the same length was changed at the same time", () => write("page.txt", "jello\n")],
    ["a file was removed", () => rm(join(app, "page.txt"))],
    ["a new file is packed", () => write("new.txt", "")],
    [
      "a new file is packed that only the user's own settings hide from git",
      () => writeFile(join(repository, ".git/info/exclude"), "new.txt\n").then(() => write("new.txt", "")),
    ],
    [
      "a file that git is told not to look at was changed",
      () => git("update-index", "--assume-unchanged", "apps/web/page.txt").then(() => write("page.txt", "hallo\n")),
    ],
    ["a file is staged", () => write("page.txt", "hallo\n").then(() => git("add", "apps/web/page.txt"))],
    ["a file may be executed now", () => chmod(join(app, "run.sh"), 0o755)],
    ["a file became a link", () => rename(join(app, "page.txt"), join(app, "x.txt")).then(() => symlink("x.txt", join(app, "page.txt")))],
  ])("where %s", async (_, change) => {
    expect(await dirty()).toBe(false);
    await change();
    expect(await dirty()).toBe(true);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["an ignored file", () => write("debug.log", "x")],
    ["a file that is never packed, though it is committed", () => write(".env", "SECRET=2\n")],
    ["the removal of one", () => rm(join(app, ".env"))],
    ["a file of another app", () => write("../docs/page.txt", "changed\n")],
    ["what a build leaves", () => write(".next/x", "x").then(() => write("node_modules/x/index.js", "x"))],
    ["line endings that a checkout made", () => write("page.txt", "hello\r\n")],
    ["a touch", () => write("page.txt", "hello\n")],
  ])("but not by %s", async (_, change) => {
    await change();
    expect(await dirty()).toBe(false);
  });

  it("but not by content that the commit has in Git LFS", async () => {
    const pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\nsize 5\n";
    await write("large.bin", pointer);
    await commit("Large");
    await write("large.bin", "hello");
    expect(await dirty()).toBe(false);
    await write("large.bin", "jello");
    expect(await dirty()).toBe(true);
  });

  it("where a submodule's file was changed, and not before", async () => {
    const shared = join(folder, "shared");
    await mkdir(shared);
    await writeFile(join(shared, "lib.js"), "1");
    await gitIn(shared, "init", "--quiet");
    await gitIn(shared, "add", ".");
    await gitIn(shared, "commit", "--quiet", "--message", "Shared");
    await git("submodule", "--quiet", "add", shared, "apps/web/shared");
    await git("commit", "--quiet", "--message", "With a submodule");
    expect(await dirty()).toBe(false);
    await write("shared/lib.js", "2");
    expect(await dirty()).toBe(true);
  });
});
