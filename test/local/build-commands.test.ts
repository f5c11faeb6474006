import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COLLECT, ENTER_APP, INSTALL, KEEP, PLAIN_FILES, sharpFor, TAKE_MANAGER } from "../../blueprint/build-commands.ts";

/** The commands as a shell runs them; `npm` and `corepack` only write down what they were asked, since a registry is no part of this. */
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "shiplog-commands-"));
  await mkdir(at("bin"));
  for (const program of ["npm", "corepack"]) {
    await writeFile(
      at("bin", program),
      `#!/bin/sh\n[ "$1" = config ] && echo https://registry.example/ || echo "${program} $*" >> "${at("asked")}"\n`,
    );
    await chmod(at("bin", program), 0o755);
  }
});
afterEach(() => rm(root, { recursive: true }));

const at = (...path: string[]) => join(root, ...path);
const put = async (files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(at("src", path)), { recursive: true });
    await writeFile(at("src", path), text);
  }
};
const shell = (command: string, variables: Record<string, string> = {}, after = ""): string =>
  execFileSync("sh", ["-c", `${command}\n${after}`], {
    cwd: at("src"),
    env: { PATH: `${at("bin")}:${dirname(process.execPath)}:/usr/bin:/bin`, TMPDIR: at("tmp"), CODEBUILD_SRC_DIR: at("src"), ...variables },
    encoding: "utf8",
  }).trim();
const asked = async () => (await readFile(at("asked"), "utf8").catch(() => "")).trim().replaceAll(`${at("tmp")}/`, "");
const INTO = "npm install --global --prefix shiplog-tools --no-audit --no-fund --loglevel=error";

describe("the package manager of a build", () => {
  const berry = "__metadata:\n  version: 8\n";
  it.each([
    ["npm", { "package-lock.json": "" }, "npm ci --include=dev --no-audit --no-fund", ""],
    [
      "pnpm of the lockfile's format",
      { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" },
      "pnpm install --frozen-lockfile --prod=false",
      `${INTO} pnpm@10`,
    ],
    ["an older pnpm", { "pnpm-lock.yaml": "lockfileVersion: '6.0'\n" }, "pnpm install --frozen-lockfile --prod=false", `${INTO} pnpm@8`],
    [
      "yarn classic",
      { "yarn.lock": "# yarn lockfile v1\n" },
      "yarn install --frozen-lockfile --production=false --non-interactive",
      `${INTO} yarn@1`,
    ],
    ["yarn berry", { "yarn.lock": berry }, "yarn install --immutable", `${INTO} @yarnpkg/cli-dist@4`],
    ["bun", { "bun.lock": "{}" }, "env -u NODE_ENV bun install --frozen-lockfile", `${INTO} bun@1`],
    [
      "bun of a version",
      { "bun.lockb": "", "package.json": '{"packageManager": "bun@1.2.1"}' },
      "env -u NODE_ENV bun install --frozen-lockfile",
      `${INTO} bun@1.2.1`,
    ],
    [
      "what packageManager names, through corepack",
      { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n", "package.json": '{"packageManager": "pnpm@9.15.0+sha512.abc"}' },
      "pnpm install --frozen-lockfile --prod=false",
      "corepack enable --install-directory shiplog-tools/bin pnpm",
    ],
  ])("is %s", async (_name, files, install, brought) => {
    await put({ "package.json": "{}", ...files });
    expect(shell(TAKE_MANAGER, { NODE_ENV: "production" }, 'echo "$SHIPLOG_INSTALL"').split("\n").at(-1)).toBe(install);
    expect(await asked()).toBe(brought);
  });

  it("is what packageManager names from the registry, where the machine has no corepack", async () => {
    await rm(at("bin/corepack"));
    await put({ "package.json": '{"packageManager": "yarn@4.5.0"}', "yarn.lock": berry, ".pnp.cjs": "" });
    const linker = 'PATH=/none; echo "$YARN_NODE_LINKER"; [ -e .pnp.cjs ] || echo no PnP';
    const withoutCorepack = TAKE_MANAGER.replace("command -v corepack", `[ -e ${at("bin/corepack")} ]`);
    expect(shell(withoutCorepack, {}, linker).split("\n").slice(-2)).toEqual(["node-modules", "no PnP"]);
    expect(await asked()).toBe(`${INTO} @yarnpkg/cli-dist@4.5.0`);
  });
});

describe("the output of a build", () => {
  it("is moved to the root from an app of a workspace, and its cache with it", async () => {
    await put({ ".next/cache/old": "1", "apps/web/package.json": "{}" });
    const build = "[ -f .next/cache/old ] && mkdir .open-next && pwd > .open-next/where";
    shell([ENTER_APP, build, COLLECT].join("\n"), { SHIPLOG_APP: "apps/web" });
    expect(await readFile(at("src/.open-next/where"), "utf8")).toBe(`${at("src/apps/web")}\n`);
    expect(await readFile(at("src/.next/cache/old"), "utf8")).toBe("1");
  });

  it("has files in place of links, and no link to nothing", async () => {
    await put({ ".open-next/assets/docs/a.txt": "guide" });
    await symlink(at("src/.open-next/assets/docs/a.txt"), at("src/.open-next/assets/latest.txt"));
    await symlink(at("src/.open-next/assets/docs"), at("src/.open-next/assets/all docs"));
    await symlink("gone", at("src/.open-next/assets/dead"));
    expect(shell(PLAIN_FILES)).toBe("Left out: dead is a symbolic link to nothing");
    expect(shell("", {}, "find .open-next -type l")).toBe("");
    expect(await readFile(at("src/.open-next/assets/all docs/a.txt"), "utf8")).toBe("guide");
    expect(await readFile(at("src/.open-next/assets/latest.txt"), "utf8")).toBe("guide");
  });

  it("gets the image function's sharp for the site's architecture, in the version that is there", async () => {
    const modules = ".open-next/image-optimization-function/node_modules";
    await put({ [`${modules}/@img/sharp-linux-arm64/a`]: "", [`${modules}/sharp/package.json`]: '{"version": "0.34.1"}' });
    shell(sharpFor("arm64"));
    expect(await asked()).toBe("");
    const installs = `#!/bin/sh\necho "npm $*" >> "${at("asked")}"; mkdir -p node_modules/@img/sharp-linux-x64 node_modules/.bin\n`;
    await writeFile(at("bin/npm"), installs);
    await mkdir(at("tmp"));
    shell(sharpFor("x86_64"));
    expect(await asked()).toBe(
      "npm install --os=linux --cpu=x64 --libc=glibc --include=optional --no-audit --no-fund --loglevel=error sharp@0.34.1",
    );
    expect(shell("", {}, `ls -A ${modules} ${modules}/@img`).split("\n")).toEqual(expect.arrayContaining(["sharp-linux-x64", "sharp"]));
    expect(shell("", {}, `ls ${modules}/@img`)).toBe("sharp-linux-x64");
  });

  it("fails where that sharp cannot be installed", async () => {
    await put({ ".open-next/image-optimization-function/index.mjs": "" });
    await mkdir(at("tmp"));
    await writeFile(at("bin/npm"), "#!/bin/sh\nexit 1\n");
    expect(() => shell(sharpFor("x86_64"))).toThrow();
  });
});

describe("what a build has installed", () => {
  const lock = { "package.json": "{}", "package-lock.json": "1" };
  /** One build: the source of before is gone, and what was kept is there. `after` runs with the modules in their places. */
  const build = async (files: Record<string, string>, after = "", variables: Record<string, string> = {}): Promise<string> => {
    await mkdir(at("kept"), { recursive: true });
    await rm(at("src"), { recursive: true, force: true });
    await rm(at("tmp"), { recursive: true, force: true });
    await mkdir(at("tmp"));
    await put({ "package.json": "{}", ...files });
    await rename(at("kept"), at("src/.shiplog-cache"));
    const told = shell(
      [TAKE_MANAGER, INSTALL, ENTER_APP, after, COLLECT, KEEP].map((command) => `{ :; ${command}\n} || exit 1`).join("\n"),
      variables,
    );
    await rename(at("src/.shiplog-cache"), at("kept"));
    return told;
  };
  const installing = async (script: string) => {
    await writeFile(at("bin/npm"), `#!/bin/sh\necho "npm $*" >> "${at("asked")}"; ${script}\n`);
  };
  const installs = async (): Promise<number> => (await asked()).split("\n").filter((line) => line.startsWith("npm ci")).length;
  const ADD =
    "mkdir -p node_modules/a 'apps/my web/node_modules/b' && echo '{\"name\":\"a\"}' > node_modules/a/package.json && echo b > 'apps/my web/node_modules/b/index.js'";
  const SHOW = "ls node_modules 'apps/my web/node_modules' | tr '\\n' ' '";

  it("is taken by the next build of the same lockfile, where it was, whatever the source became", async () => {
    await installing(ADD);
    await build({ ...lock, "apps/my web/package.json": "{}" }, "mkdir -p .next/node_modules && touch .next/node_modules/x");
    const second = await build({ ...lock, "apps/my web/package.json": "{}", "page.tsx": "new" }, `${SHOW}; ls -A`);
    expect(await installs()).toBe(1);
    expect(second).toContain("Taking the modules that a build of the same lockfile has installed");
    expect(second).toContain("apps/my web/node_modules: b  node_modules: a");
    await build({ ...lock, "apps/my web/package.json": "{}" });
    expect(await installs()).toBe(1);
  });

  it.each([
    ["lockfile", { "package-lock.json": "2" }],
    ["manifest", { "package.json": '{"overrides": {"a": "2"}}' }],
    ["manifest of a member", { "packages/ui/package.json": "{}" }],
    ["patch", { "patches/a+1.patch": "-" }],
    ["setting", { ".npmrc": "legacy-peer-deps=true" }],
  ])("is installed again for another %s, and nothing of before is kept", async (_what, change) => {
    await installing(ADD);
    await build(lock);
    await installing("mkdir -p node_modules/c");
    expect(await build({ ...lock, ...change }, "ls node_modules")).toContain("c");
    expect(await installs()).toBe(2);
    expect(shell("", {}, `find ${at("kept")} -name a`)).toBe("");
  });

  it("is installed again with another Node", async () => {
    await installing(ADD);
    await build(lock);
    await writeFile(at("bin/node"), `#!/bin/sh\nexec ${process.execPath} -r ${at("other.cjs")} "$@"\n`);
    await chmod(at("bin/node"), 0o755);
    await writeFile(at("other.cjs"), 'Object.defineProperty(process, "version", { value: "v99.0.0" });');
    await build(lock);
    expect(await installs()).toBe(2);
  });

  const postinstall = (name: string, event = "postinstall") => JSON.stringify({ name, scripts: { [event]: "generate" } });
  it.each([
    ["a package's install script may look at the source", "node_modules/@prisma/client", postinstall("@prisma/client"), {}],
    ["a package in the store of pnpm has one", "node_modules/.pnpm/p@1/node_modules/p", postinstall("p", "install"), {}],
    ["the app itself has one", "node_modules/a", "{}", { "package.json": postinstall("app", "prepare") }],
  ])("is not kept where %s; the log says whose", async (_why, folder, manifest, own) => {
    await installing(`mkdir -p ${folder} && echo '${manifest}' > ${folder}/package.json`);
    for (const times of [1, 2]) {
      expect(await build({ ...lock, ...own })).toMatch(
        /These modules are not kept for the next build: (@prisma\/client|p|app) has an install script/,
      );
      expect(await installs()).toBe(times);
    }
  });

  it("is kept where scripts change their own folder alone, fixtures of packages have some, or a hook manager is set up", async () => {
    await installing(
      [
        ["sharp", postinstall("sharp", "install")],
        ["a/test/fixture", postinstall("fixture")],
        ["b", JSON.stringify({ name: "b", scripts: { prepare: "tsc" } })],
      ]
        .map(([folder, manifest]) => `mkdir -p node_modules/${folder} && echo '${manifest}' > node_modules/${folder}/package.json`)
        .join("; "),
    );
    const own = { "package.json": JSON.stringify({ scripts: { preinstall: "npx only-allow npm", prepare: "husky" } }) };
    await build({ ...lock, ...own });
    await build({ ...lock, ...own });
    expect(await installs()).toBe(1);
  });

  it("is installed again where the cache kept no symbolic links", async () => {
    await installing(`${ADD} && ln -s ../a node_modules/.bin`);
    await build(lock);
    expect(await build(lock, "readlink node_modules/.bin")).toContain("../a");
    expect(await installs()).toBe(1);
    shell("", {}, `find ${at("kept")} -type l -delete`);
    expect(await build(lock, "readlink node_modules/.bin")).toContain("../a");
    expect(await installs()).toBe(2);
  });

  it("is left to the next build with what npm fetched for the image function, outside of the source meanwhile", async () => {
    await installing(ADD);
    const fetch =
      'echo "cache $npm_config_cache"; mkdir -p "$npm_config_cache"; ls "$npm_config_cache"; touch "$npm_config_cache/sharp.tgz"; ls -A .shiplog-cache 2>/dev/null || true';
    expect(await build(lock, fetch)).not.toContain("sharp.tgz");
    const second = await build(lock, fetch);
    expect(second).toContain(`cache ${at("tmp")}/shiplog-npm`);
    expect(second.split("\n").filter((line) => line === "sharp.tgz")).toHaveLength(1);
    expect(await build(lock, 'echo "cache $npm_config_cache"', { npm_config_cache: "/own" })).toContain("cache /own");
    expect(await build({ ...lock, "package-lock.json": "2" }, fetch)).not.toContain("sharp.tgz");
  });

  it("fails the build where it cannot be installed, and keeps nothing", async () => {
    await installing("exit 1");
    await expect(build(lock)).rejects.toThrow("Command failed");
  });
});
