import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { layoutOf } from "../../cli/app-layout.ts";
import { planBuild } from "../../cli/next-app.ts";
import { readOpenNextConfig, splitFunctionsOf, splitMisfit } from "../../cli/open-next-config.ts";
import { trackedEnvFiles } from "../../cli/tracked-env.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "shiplog-layout-"));
});
afterEach(() => rm(root, { recursive: true }));

const at = (...path: string[]) => join(root, ...path);
const put = async (files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  }
};
const refusal = (app: string): string =>
  layoutOf(at(app))
    .findings.map(({ message }) => message)
    .join("\n");

describe("what is packed for an app", () => {
  it("is its own folder, where its lockfile is", async () => {
    await put({ "package.json": '{"workspaces": ["apps/*"]}', "yarn.lock": "", "apps/web/package-lock.json": "{}" });
    expect(layoutOf(at("apps/web"))).toMatchObject({ layout: { root: at("apps/web") }, findings: [] });
  });

  it.each([
    ["npm", { "package.json": '{"workspaces": ["packages/*", "apps/*"]}', "package-lock.json": "{}" }],
    ["yarn", { "package.json": '{"workspaces": {"packages": ["./apps/**"]}}', "yarn.lock": "" }],
    ["bun", { "package.json": '{"workspaces": ["apps/web"]}', "bun.lock": "{}" }],
    [
      "pnpm",
      {
        "package.json": "{}",
        "pnpm-workspace.yaml": 'packages:\n  # ours\n  - "apps/*"\n  - packages/* # theirs\nallowBuilds:\n  x: true\n',
        "pnpm-lock.yaml": "",
      },
    ],
  ])("is the whole workspace of %s that names it", async (_manager, files) => {
    await put({ ...files, "apps/web/package.json": "{}" });
    expect(layoutOf(at("apps/web"))).toMatchObject({ layout: { root, app: "apps/web" }, findings: [] });
  });

  it("is never a folder above that does not name it", async () => {
    await put({
      "package.json": '{"workspaces": ["packages/*", "apps/*", "!apps/old"]}',
      "package-lock.json": "{}",
      "apps/old/package.json": "{}",
      "tools/web/package.json": "{}",
    });
    expect(refusal("tools/web")).toMatch(/tools\/web has no lockfile, and no workspace above it that names it/);
    expect(refusal("apps/old")).toMatch(/has no lockfile/);
  });

  it("goes by the workspace's patterns as package managers do: a star is one folder, and words in braces are one of them", async () => {
    await put({ "package.json": '{"workspaces": ["{apps,sites}/*", "libs/**", "{odd/(*"]}', "package-lock.json": "{}" });
    await put({
      "sites/a/package.json": "{}",
      "apps/a/test/app/package.json": "{}",
      "libs/a/b/package.json": "{}",
      "lib/package.json": "{}",
    });
    expect(layoutOf(at("sites/a")).layout).toEqual({ root, app: "sites/a" });
    expect(layoutOf(at("libs/a/b")).layout).toEqual({ root, app: "libs/a/b" });
    expect(layoutOf(at("apps/a/test/app")).layout).toEqual({ root: at("apps/a/test/app") });
    expect(layoutOf(at("lib")).layout).toEqual({ root: at("lib") });
  });

  it("is nothing where two lockfiles say different things, or packageManager names another manager", async () => {
    await put({ "web/package-lock.json": "{}", "web/npm-shrinkwrap.json": "{}", "web/package.json": '{"packageManager": "npm@11.0.0"}' });
    expect(layoutOf(at("web"))).toMatchObject({ layout: { root: at("web") }, findings: [] });
    await put({ "web/pnpm-lock.yaml": "" });
    expect(refusal("web")).toMatch(/has both package-lock\.json and pnpm-lock\.yaml/);
    await rm(at("web/pnpm-lock.yaml"));
    await put({ "web/package.json": '{"packageManager": "pnpm@10.1.0"}' });
    expect(refusal("web")).toMatch(/names pnpm@10\.1\.0 as its package manager, and package-lock\.json is npm's/);
  });

  it("is the app alone, whatever its lockfile, where it says itself how it is built", async () => {
    await put({ "web/package.json": '{"dependencies": {"next": "16", "@opennextjs/aws": "4"}}' });
    expect(await planBuild(at("web"), true)).toEqual({ root: at("web") });
    await expect(planBuild(at("web"), false)).rejects.toThrow(/has no lockfile/);
    await put({ "web/buildspec.yml": "" });
    expect(await planBuild(at("web"), false)).toEqual({ root: at("web") });
  });

  it("may have OpenNext among the packages of the workspace, and says with which command it is added", async () => {
    await put({
      "package.json": "{}",
      "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
      "pnpm-lock.yaml": "",
      "apps/web/package.json": '{"dependencies": {"next": "16"}}',
    });
    await put({ "apps/web/next.config.ts": "" });
    await expect(planBuild(at("apps/web"), false)).rejects.toMatchObject({ next: "Run `pnpm add --save-dev @opennextjs/aws` there." });
    await put({ "package.json": '{"devDependencies": {"@opennextjs/aws": "4"}}' });
    await rm(at("apps/web/next.config.ts"));
    await expect(planBuild(at("apps/web"), false)).rejects.toThrow(`${at("apps/web")} has no next.config file`);
    await put({ "apps/web/next.config.ts": "" });
    expect(await planBuild(at("apps/web"), false)).toEqual({ root, app: "apps/web" });
  });
});

describe("files of values", () => {
  it("go with the source where git tracks them and a production build reads them", async () => {
    await put({ ".env": "A=1", ".env.local": "B=2", ".env.test": "C=3", "apps/web/.env.production": "D=4", "apps/web/.env": "E=5" });
    expect((await trackedEnvFiles(root)).files).toEqual([]);
    execFileSync("git", ["init", "-q"], { cwd: root });
    execFileSync("git", ["add", "-f", ".env", ".env.local", ".env.test", "apps/web/.env.production"], { cwd: root });
    expect(await trackedEnvFiles(root)).toEqual({ files: [".env", "apps/web/.env.production"] });
    expect(await trackedEnvFiles(at("apps/web"))).toEqual({ files: [".env.production"] });
  });
});

describe("what open-next.config.ts asks for", () => {
  const app = { "package.json": '{"devDependencies": {"@opennextjs/aws": "4"}}', "package-lock.json": "{}", "next.config.mjs": "" };
  const plan = async (config: string, ownBuild = false): Promise<string> => {
    await put({ ...app, "open-next.config.ts": config });
    return planBuild(root, ownBuild).then(
      () => "taken",
      ({ message, next }) => `${message} ${next}`,
    );
  };

  it.each([
    ["export default { default: {}, middleware: { external: true, originResolver: 'x' } };", /outside of the server.*Remove "external"/],
    ["export default { functions: { api: { runtime: 'edge', routes: ['app/api/route'] } } };", /on the edge.*Remove "runtime"/],
    ['export default { functions: { api: { placement: "global", patterns: ["/api/*"] } } };', /on the edge/],
    ["export default { default: { override: { generateDockerfile: true } } };", /container/],
  ])("is refused before anything is packed: %s", async (config, refused) => {
    expect(await plan(config)).toMatch(refused);
    expect(await plan(config, true)).toBe("taken");
  });

  it.each([
    "export default { default: {}, middleware: { external: false } };",
    "export default { default: {} }; // middleware: { external: true }",
    "/* functions: { a: {} } */ export default { default: {}, functions: {} };",
    'export default { buildCommand: \'echo "functions: { x }"\', default: { override: { wrapper: "aws-lambda-streaming" } } };',
    "export default { default: {}, imageOptimization: { external: true } };",
    "export default { middleware: {",
    "const config = {\n  functions: { api: { routes: ['app/api/route'], patterns: ['/api/*'] } },\n  default: {},\n};",
    "export default { default: { runtime: 'edge' }, functions: { api: {} } };",
  ])("is taken where it asks for nothing of the kind: %s", async (config) => {
    expect(await plan(config)).toBe("taken");
  });
});

describe("the split functions of open-next.config.ts", () => {
  const check = async (config: string, ...declared: string[]): Promise<string> => {
    await put({ "open-next.config.ts": config });
    const functions = ["server", "image", ...declared.map((name) => `server-${name}`)].map((role) => `shiplog-web-live-${role}`);
    const [found] = splitMisfit(
      await readOpenNextConfig(root),
      { who: "web/live was made", site: "web" },
      splitFunctionsOf({ site: "web", environment: "live", functions }),
    );
    return found === undefined ? "taken" : `${found.message} ${found.mend}`;
  };
  const two =
    "const api = {};\nexport default {\n  default: {},\n  functions: {\n    'docs': { routes: ['app/docs/page'], patterns: ['docs/*', 'a, b: c'] },\n    api: pick({ patterns: [`/api/*`], override: { wrapper: 'x' } }),\n  },\n};";

  it("are those that the environment was made for", async () => {
    expect(await check(two, "api", "docs")).toBe("taken");
    expect(await check("export default { default: {} };")).toBe("taken");
  });

  it("are refused before anything is packed where they are others", async () => {
    expect(await check(two, "api")).toMatch(
      /has the split functions api, docs, and web\/live was made for the split function api\. Declare "functions" for the site "web"/,
    );
    expect(await check("export default { default: {} };", "api")).toContain("splits nothing, and web/live was made for");
    expect(await check(two)).toContain("was made for the server alone");
  });

  it.each([
    "functions: { ...shared, api: {} }",
    "functions: { [name]: {} }",
    "functions: shared",
    "functions",
    "...base",
    "default: made({})",
  ])("are left to the build where they are worked out: %s", async (code) => {
    expect(await check(`export default { ${code} };`, "other")).toBe("taken");
  });

  it("are left to the build where the whole file comes from elsewhere", async () => {
    for (const code of ['export { default } from "@acme/open-next";', 'import base from "./base";\nexport default base;'])
      expect(await check(code, "api")).toBe("taken");
    const typed =
      'import type { OpenNextConfig } from "@opennextjs/aws/types/open-next.js";\nexport default { default: {} } satisfies OpenNextConfig;';
    expect(await check(typed, "api")).toContain("splits nothing");
  });
});
