import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkFolders, workRoots } from "../../local/codebuild/work-folders.ts";
import { treeDigest } from "../support/tree-digest.ts";
import { contextOf, openRoom, phases, type Room, spec, until } from "./codebuild-room.ts";

const LOCKFILE = { name: "shop", lockfileVersion: 3, packages: {} };

let folder: string;
let app: string;
let data: string;
let room: Room | undefined;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "build-folder-")));
  app = join(folder, "app");
  data = join(app, ".shiplog");
  await mkdir(join(app, "node_modules/precious"), { recursive: true });
  await mkdir(data);
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "shop", version: "1.0.0", workspaces: ["**"] }));
  await writeFile(join(app, "package-lock.json"), JSON.stringify(LOCKFILE));
  await writeFile(join(app, "node_modules/precious/index.js"), "module.exports = 1;");
  await writeFile(join(data, "connection.json"), '{"token":"not for builds"}');
  await writeFile(join(data, "secrets.json"), "{}");
});
afterEach(async () => {
  await room?.close();
  room = undefined;
  await rm(folder, { recursive: true, force: true });
});

const built = async (commands: string[], options: Parameters<typeof openRoom>[0] = {}) => {
  room ??= await openRoom({ dataDir: data, ...options });
  await room.putSource("app.zip", {
    "package.json": JSON.stringify({ name: "shop", version: "2.0.0" }),
    "dep/package.json": JSON.stringify({ name: "dep", version: "1.0.0", main: "index.js" }),
    "dep/index.js": "module.exports = 7;",
  });
  const source = { sourceTypeOverride: "S3" as const, sourceLocationOverride: "sources/app.zip" };
  return room.ended(await room.startBuild(spec({ build: commands }), source));
};
const output = () => (room as Room).log.map(({ message }) => message);

describe("a build whose data folder is inside an app", () => {
  it("installs into a new temporary folder, as OpenNext does, and changes nothing of the app", async () => {
    const before = await treeDigest(app, data);
    // what OpenNext's `imageOptimization.install` runs: npm in a folder without a package.json
    const install = 'src=$PWD; cd "$(mktemp -d)"; npm install --offline --no-audit --no-fund --install-links "$src/dep"';
    const build = await built([install, "echo installed: $(ls node_modules)", `node -p "'it is ' + require('dep')"`]);
    expect(build.buildStatus, room?.text()).toBe("SUCCEEDED");
    expect(output()).toContain("installed: dep");
    expect(output()).toContain("it is 7");
    expect(await treeDigest(app, data)).toEqual(before);
  });

  it("installs what is for every folder into its own, and finds it there", async () => {
    const tool = `mkdir tool; echo '{"name":"tool","version":"1.0.0","bin":"tool.js"}' > tool/package.json; printf '#!/usr/bin/env node\\nconsole.log("tool runs")\\n' > tool/tool.js`;
    const install = 'npm install --global --offline --no-audit --no-fund --install-links "$PWD/tool"';
    const build = await built([tool, install, "cd / && tool", "echo found at $(command -v tool)"]);
    expect(build.buildStatus, room?.text()).toBe("SUCCEEDED");
    expect(output()).toContain("tool runs");
    expect(output().join("\n")).toMatch(/^found at \/\S+\/engine-[0-9a-f]{16}\/[0-9a-f-]{36}\/global\/bin\/tool$/m);
  });

  it("finds no package, repository, lockfile or file of the engine on its way up, and no path to one in its environment", async () => {
    await promisify(execFile)("git", ["init", "--quiet", app]);
    const names = ".git package.json package-lock.json node_modules connection.json secrets.json tsconfig.json";
    const walk = `d=$PWD/..; while d=$(cd "$d/.." && pwd); do for f in ${names}; do [ ! -e "$d/$f" ] || echo "found: $d/$f"; done; [ "$d" != / ] || break; done`;
    const build = await built([
      walk,
      `cd "$TMPDIR"; ${walk}`,
      "env | sed 's/^/seen: /'",
      "pwd -P | sed 's/^/seen: /'",
      "git init --quiet own; (cd own && git rev-parse --show-toplevel | sed 's/^/repository: /')",
      "git rev-parse --show-toplevel || echo no repository",
      `node -e "try { require('precious'); console.log('found: precious') } catch { console.log('nothing precious') }"`,
    ]);
    expect(build.buildStatus, room?.text()).toBe("SUCCEEDED");
    expect(output().filter((line) => line.startsWith("found:"))).toEqual([]);
    expect(output().filter((line) => line.startsWith("seen:") && line.includes(app))).toEqual([]);
    expect(output().filter((line) => line.startsWith("repository:"))).toEqual([expect.stringMatching(/\/tmp\/own$/)]);
    expect(output()).toContain("no repository");
    expect(output()).toContain("nothing precious");
  });
});

describe("the folder of a build", () => {
  const roots = (...names: string[]) => names.map((name) => join(folder, name));

  it("is its owner's alone, new, and gone when the build has ended", async () => {
    const [root = ""] = roots("cache/builds");
    const build = await built(["ls -A ..; stat -c 'mode %a' .. ../.. ../../.. 2>/dev/null || stat -f 'mode %Lp' .. ../.. ../../.."], {
      workRoots: [root],
    });
    expect(build.buildStatus, room?.text()).toBe("SUCCEEDED");
    expect(output().filter((line) => line.startsWith("mode"))).toEqual(["mode 700", "mode 700", "mode 700"]);
    const [engine = "", ...others] = await readdir(root);
    expect(others).toEqual([]);
    expect(await readdir(join(root, engine))).toEqual([]);
    await room?.close();
    room = undefined;
    expect(await readdir(root)).toEqual([]);
  });

  it("is in the first place that is in no project, and nothing is written into one that is", async () => {
    const places = roots("app/caches", "linked/caches", "clear/caches");
    await symlink(app, join(folder, "linked"));
    const before = await treeDigest(app, data);
    const made = await openWorkFolders(data, places).make("one");
    expect(made.startsWith(join(folder, "clear/caches/engine-"))).toBe(true);
    expect(await treeDigest(app, data)).toEqual(before);
  });

  it.each(["node_modules", "pnpm-workspace.yaml", "postcss.config.mjs", ".git", "tsconfig.json", "yarn.lock"])(
    "is not below a folder with %s",
    async (name) => {
      await mkdir(join(folder, "home", name), { recursive: true });
      expect(await openWorkFolders(data, roots("home/a/b", "clear")).make("one")).toContain(join(folder, "clear"));
    },
  );

  it("is never in the data folder, nor where somebody else may write", async () => {
    const [open = "", mine = ""] = roots("open", "mine");
    await mkdir(open);
    await chmod(open, 0o777);
    const bare = join(folder, "bare");
    await mkdir(bare);
    expect(await openWorkFolders(bare, [join(bare, "builds"), open, mine]).make("one")).toContain(mine);
    expect(await readdir(bare)).toEqual([]);
    expect(await readdir(open)).toEqual([]);
  });

  it("that can be nowhere fails the build in PROVISIONING, and the reason says what is in the way", async () => {
    const build = await built(["true"], { workRoots: [join(app, "caches"), join(data, "caches")] });
    expect(build.buildStatus).toBe("FAILED");
    expect(phases(build)).toMatchObject({ PROVISIONING: "FAILED", FINALIZING: "SUCCEEDED" });
    const { message } = contextOf(build, "PROVISIONING") ?? {};
    expect(message).toContain("builds have no folder to work in that is outside of every project");
    expect(message).toContain(`${join(app, "caches")} (${join(app, "package.json")} is in the way)`);
    expect(message).toContain(`${join(data, "caches")} (it is in the engine's data folder)`);
    expect(message).toContain("SHIPLOG_BUILDS");
    expect(existsSync(join(app, "caches"))).toBe(false);
  });

  it("is removed at the next start where the engine was killed; another engine's only after a day", async () => {
    const [root = ""] = roots("cache");
    const killed = await openWorkFolders(data, [root]).make("killed");
    const [other, forgotten, foreign] = ["engine-0123456789abcdef", "engine-fedcba9876543210", "notes"].map((name) => join(root, name));
    for (const one of [other, forgotten, foreign] as string[]) await mkdir(join(one, "build/src"), { recursive: true });
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
    for (const one of [forgotten, foreign] as string[]) await utimes(one, twoDaysAgo, twoDaysAgo);
    // what builds left in the data folder up to 0.1.0, and half a cache
    await mkdir(join(data, "codebuild/work/old/src"), { recursive: true });
    await mkdir(join(data, "codebuild/caches/web/half"), { recursive: true });
    await mkdir(join(data, "codebuild/caches/web/current"), { recursive: true });
    room = await openRoom({ dataDir: data, workRoots: [root] });
    expect(existsSync(killed)).toBe(false);
    expect((await readdir(root)).sort()).toEqual(["engine-0123456789abcdef", "notes"]);
    expect(existsSync(join(data, "codebuild/work"))).toBe(false);
    expect(await readdir(join(data, "codebuild/caches/web"))).toEqual(["current"]);
  });

  it("belongs to one data folder: two engines of one user keep out of each other's", async () => {
    const [root = ""] = roots("cache");
    const second = join(folder, "second");
    await mkdir(second);
    const theirs = await openWorkFolders(second, [root]).make("one");
    const folders = openWorkFolders(data, [root]);
    await folders.make("one");
    await folders.removeStale();
    expect((await stat(theirs)).isDirectory()).toBe(true);
  });

  it("does not mind that another engine, which starts too, has removed the same leavings first", async () => {
    const [root = ""] = roots("cache");
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
    for (let n = 0; n < 64; n++) {
      const forgotten = join(root, `engine-${n.toString(16).padStart(16, "0")}`);
      await mkdir(forgotten, { recursive: true });
      await utimes(forgotten, twoDaysAgo, twoDaysAgo);
    }
    await chmod(root, 0o700);
    await Promise.all(Array.from({ length: 4 }, () => openWorkFolders(data, [root]).removeStale()));
    expect(await readdir(root)).toEqual([]);
  });
});

describe("where builds may work", () => {
  it("is the user's cache folder, else a folder for temporary files", () => {
    const cache = process.platform === "darwin" ? join(homedir(), "Library/Caches") : join(homedir(), ".cache");
    expect(workRoots({})[0]).toBe(join(cache, "shiplog/builds"));
    expect(workRoots({})[1]).toContain(join(tmpdir(), "shiplog-builds-"));
  });

  it.skipIf(process.platform === "darwin")("follows XDG_CACHE_HOME where it is a full path", () => {
    expect(workRoots({ XDG_CACHE_HOME: "/fast" })[0]).toBe("/fast/shiplog/builds");
    expect(workRoots({ XDG_CACHE_HOME: "fast" })[0]).toBe(join(homedir(), ".cache/shiplog/builds"));
  });

  it("is SHIPLOG_BUILDS alone where that is set", () => {
    expect(workRoots({ SHIPLOG_BUILDS: "/builds", XDG_CACHE_HOME: "/fast" })).toEqual(["/builds"]);
  });
});

const anotherDisk = existsSync("/dev/shm") && statSync("/dev/shm").dev !== statSync(tmpdir()).dev;
it.skipIf(!anotherDisk)("a build's cache is kept where its folder is on another disk", async () => {
  const elsewhere = await mkdtemp("/dev/shm/builds-");
  await chmod(elsewhere, 0o700);
  try {
    room = await openRoom({ dataDir: data, workRoots: [elsewhere] });
    const cached = spec({
      build: ["echo cached: $(cat .next/cache/deep/file)", "mkdir -p .next/cache/deep && echo kept > .next/cache/deep/file"],
      cache: { paths: [".next/cache/**/*"] },
    });
    for (let n = 0; n < 3; n++) expect((await room.ended(await room.startBuild(cached))).buildStatus).toBe("SUCCEEDED");
    await until(() => output().filter((line) => line === "cached: kept").length === 2);
    expect(await readdir(join(data, "codebuild/caches/artifacts%2Fcaches%2Fweb"))).toEqual(["current"]);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
});
