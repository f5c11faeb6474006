import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COLLECT, ENTER_APP, PLAIN_FILES, sharpFor, TAKE_MANAGER } from "../../blueprint/build-commands.ts";

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
