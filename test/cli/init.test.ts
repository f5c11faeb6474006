import { readFileSync } from "node:fs";
import { access, chmod } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseSites } from "../../blueprint/sites-file.ts";
import { planInit } from "../../cli/init-plan.ts";
import { CLI_PACKAGE } from "../../cli/package-name.ts";
import { repositoryIn, workflowOf } from "../../cli/workflow.ts";
import metadata from "../../package.json" with { type: "json" };
import { type Folder, openFolder } from "./support/app-folder.ts";
import { type Finished, runCli } from "./support/run-cli.ts";

let folder: Folder;
beforeEach(async () => {
  folder = await openFolder();
});
afterEach(() => folder.close());

/** What `create-next-app` leaves, with its own git. */
const created = (more: object = {}) => ({
  "package.json": {
    name: "my-app",
    private: true,
    dependencies: { next: "16.4.5", react: "19" },
    devDependencies: { typescript: "^5" },
    ...more,
  },
  "next.config.ts": "export default {};\n",
  ".gitignore": "/node_modules\n.env*\n",
});
const gitAt = (branch = "main") => folder.git("init", "-q", "-b", branch);
const init = (dir: string, ...words: string[]): Promise<Finished> => runCli(["init", folder.at(dir), ...words], { cwd: folder.root });
const isThere = (path: string) =>
  access(folder.at(path)).then(
    () => true,
    () => false,
  );
const plan = (dir = "") => planInit(folder.at(dir).replace(/\/$/, ""), CLI_PACKAGE);
const changesOf = async (dir = "") => (await plan(dir)).changes.map(({ path }) => path.slice(folder.root.length + 1));

describe("shiplog init of an untouched create-next-app app", () => {
  beforeEach(async () => {
    gitAt();
    await folder.put({ ...created(), "package-lock.json": { packages: { "": { dependencies: { next: "16.4.5" } } } } });
  });

  it("shows what it writes, writes it, and says what is next", async () => {
    const { code, out, err } = await init("", "--yes");
    expect(code).toBe(0);
    for (const line of [
      "--- /dev/null\n+++ b/shiplog.sites.json\n",
      "--- a/package.json\n+++ b/package.json\n",
      '+    "@opennextjs/aws": "4.1.12",\n     "typescript": "^5"\n',
      "+.shiplog/\n",
      "+++ b/.github/workflows/deploy.yml\n",
    ])
      expect(out).toContain(line);
    expect(err).toBe(
      "Wrote these 4 files.\nInstall first:  npm install\nNext:  shiplog dev\n       shiplog deploy .      in another terminal\n" +
        "The workflow stores no secret: its runs prove themselves by tokens of GitHub. To let them in:\n" +
        '  1. in shiplog.sites.json, at the environment of my-app:  "github": [{"repository": "<owner>/<repository>", "ref": "refs/heads/main"}]\n' +
        "  2. put it into effect:  shiplog up --stage production\n" +
        "  3. gh variable set SHIPLOG_URL --body <the address that it prints>\n",
    );
    const { sites } = parseSites(await folder.text("shiplog.sites.json"), "x");
    expect(sites).toMatchObject([{ name: "my-app", source: ".", environments: [{ name: "production" }] }]);
    expect(await isThere("open-next.config.ts")).toBe(false);
  });

  it("names the sites file where `dev` would not find it, and `dev --app` says that it does not read it", async () => {
    await folder.put(Object.fromEntries(Object.entries(created()).map(([path, content]) => [`my-app/${path}`, content])));
    const { err } = await init("my-app", "--yes");
    expect(err).toContain("Next:  shiplog dev --sites my-app/shiplog.sites.json\n");
    await folder.put({ "bare/shiplog.sites.json": { sites: [] } });
    const dev = await runCli(["dev", "--app", "bare"], { cwd: folder.root });
    expect(dev.code).toBe(2);
    expect(dev.err).toContain(
      "bare/shiplog.sites.json is not read, because of --app. To have what it declares:  shiplog dev --sites bare/shiplog.sites.json\n",
    );
  });

  it("installs what it added where that is asked for, in the app's folder, and says so where it fails", async () => {
    const bin = folder.at("bin");
    const stub = (end: string) => folder.put({ "bin/npm": `#!/bin/sh\necho "$PWD: npm $*"\nexit ${end}\n` });
    await stub("0");
    await chmod(join(bin, "npm"), 0o755);
    const run = (...words: string[]) =>
      runCli(["init", folder.root, "--yes", ...words], { cwd: folder.root, env: { PATH: `${bin}:${process.env.PATH}` } });
    expect((await run("--install", "--dry-run")).err).not.toContain("npm install …");
    const { code, out, err } = await run("--install", "--json");
    expect([code, JSON.parse(out).written]).toEqual([0, true]);
    expect(err).toContain(`npm install …\n${folder.root}: npm install\n`);
    expect(err).not.toContain("Install first");
    // the lockfile is as it was: what was added is missing still
    await stub("3");
    const failed = await run("--install");
    expect([failed.code, failed.err]).toEqual([5, expect.stringContaining("`npm install` in")]);
    expect(failed.err).toContain("did not work: it ended with 3. What init wrote stays.");
    expect(failed.err).not.toContain("Next:");
  });

  it("changes nothing when it is repeated, and says so", async () => {
    await init("", "--yes");
    folder.git("add", "-A");
    const { code, out, err } = await init("");
    expect([code, out]).toEqual([0, ""]);
    expect(err).toContain("Nothing to write: everything is there.\n");
    expect(folder.git("diff", "--name-only")).toBe("");
  });

  it("writes no line twice where git does not answer", async () => {
    await init("", "--yes");
    await folder.put({ ".git/config": "no configuration at all [" });
    expect((await plan()).changes.map(({ path }) => path)).not.toContain(folder.at(".gitignore"));
  });

  it("writes nothing without a terminal and without --yes, nor with --dry-run", async () => {
    const asked = await init("");
    expect([asked.code, asked.err]).toEqual([
      2,
      "error: Write these 4 files? Nobody can be asked here: this is no terminal.\nSay it with --yes.\n",
    ]);
    const dry = await init("", "--dry-run");
    expect([dry.code, dry.out]).toEqual([0, asked.out]);
    expect(dry.err).toContain("Nothing was written (--dry-run).");
    expect(await isThere("shiplog.sites.json")).toBe(false);
    expect(folder.git("status", "--porcelain").split("\n").filter(Boolean)).toHaveLength(4);
  });

  it("says the same to programs", async () => {
    const { out } = await init("", "--json", "--yes");
    const document = JSON.parse(out);
    expect(document).toMatchObject({ site: "my-app", written: true, install: { command: "npm install" }, kept: [], findings: [] });
    expect(document.changes[1]).toMatchObject({
      path: folder.at("package.json"),
      isNew: false,
      diff: expect.stringContaining("+++ b/package.json"),
    });
  });

  it("never overwrites what a person changed, and says what it would add", async () => {
    await init("", "--yes");
    await folder.put({
      ".github/workflows/deploy.yml": "name: Ours\n",
      "shiplog.sites.json": { sites: [{ name: "docs", source: "docs", environments: [{ name: "live" }] }] },
    });
    const { code, out, err } = await init("", "--yes");
    expect(code).toBe(0);
    expect(out).toContain("shiplog.sites.json stays as it is: it has no site of");
    expect(out).toContain('    {\n      "name": "my-app",\n      "source": ".",');
    expect(out).toContain(
      ".github/workflows/deploy.yml stays as it is: it is there already. What it would get:\n    name: Deploy my-app\n",
    );
    expect(err).toContain("Nothing was written.\n");
    expect(await folder.text(".github/workflows/deploy.yml")).toBe("name: Ours\n");
  });
});

const variable = (name: string): string => `$\{{ vars.${name} }}`;

describe("its workflow", () => {
  it("installs one version of the small package by its scoped name, and gives the engine's address to nothing else", async () => {
    gitAt("trunk");
    await folder.put(created());
    const { changes } = await plan();
    const text = changes.find(({ path }) => path.endsWith("deploy.yml"))?.after ?? "";
    const { on, permissions, jobs } = parse(text);
    expect(on.push.branches).toEqual(["trunk"]);
    expect(permissions).toEqual({ contents: "read", "id-token": "write" });
    const { steps } = jobs.deploy;
    const runs = steps.flatMap(({ run }: { run?: string }) => run ?? []);
    expect(runs).toEqual([
      `npm install --global --ignore-scripts --no-audit --no-fund ${metadata.name.split("/")[0]}/cli@${metadata.version}`,
      "shiplog deploy . --site my-app --yes",
    ]);
    expect(CLI_PACKAGE.name).toMatch(/^@[\w-]+\/cli$/);
    expect(steps.filter((step: { env?: object }) => step.env !== undefined)).toEqual([
      { run: runs[1], env: { SHIPLOG_URL: variable("SHIPLOG_URL") } },
    ]);
    expect(text).toContain("see that the scope is yours");
    expect(text).not.toMatch(/npx|bunx|dlx|secrets|TOKEN/);
  });

  it("comes with the rule that lets its runs in, which the sites file takes as it is printed", async () => {
    gitAt("trunk");
    folder.git("remote", "add", "origin", "git@github.com:Acme/my.web.git");
    await folder.put(created());
    const [, first = ""] = (await plan()).access;
    const github = JSON.parse(`{${first.slice(first.indexOf('"github"'))}}`);
    expect(github).toEqual({ github: [{ repository: "Acme/my.web", ref: "refs/heads/trunk" }] });
    const site = { name: "web", source: ".", environments: [{ name: "production", ...github }] };
    expect(() => parseSites(JSON.stringify({ sites: [site] }), "x")).not.toThrow();
  });

  it.each([
    ["https://github.com/acme/web", "acme/web"],
    ["https://user:secret@github.com/acme/web.git", "acme/web"],
    ["ssh://git@github.com/acme/web.git", "acme/web"],
    ["git@gitlab.com:acme/web.git", undefined],
    ["https://example.com/github.com/acme/web", undefined],
  ])("knows the repository of %s", (remote, repository) => expect(repositoryIn(remote)).toBe(repository));

  it("is the one in docs/github.md", () => {
    const page = readFileSync(new URL("../../docs/github.md", import.meta.url), "utf8");
    const [, shown] = /```yaml\n# \.github\/workflows\/deploy\.yml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(shown).toBe(workflowOf({ package: CLI_PACKAGE, branch: "main", folder: ".", site: "web", manager: "npm" }));
  });

  it("is not made of a package without a scope, of a folder that a shell reads, or in no repository", async () => {
    await folder.put(created());
    expect((await plan()).hints.join()).toContain("is in no git repository");
    gitAt();
    const bare = await planInit(folder.root, { name: "shiplog", version: "0.1.0" });
    expect([bare.access, bare.hints.join()]).toEqual([
      [],
      expect.stringContaining("whatever somebody else publishes as shiplog would run with the job's right to deploy"),
    ]);
    await folder.put(Object.fromEntries(Object.entries(created()).map(([path, content]) => [`a $(id)/${path}`, content])));
    expect((await plan("a $(id)")).hints.join()).toContain("cannot stand in a workflow as it is");
  });
});

describe("what init finds", () => {
  it("an app of a pnpm workspace, whose root has the sites file and the repository the workflow", async () => {
    gitAt();
    await folder.put({
      "package.json": { name: "root", private: true, packageManager: "pnpm@10.1.0" },
      "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
      "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
      "apps/web/package.json": { name: "@acme/web", dependencies: { next: "16.4.5" } },
      "apps/web/next.config.ts": 'export default { basePath: "/shop" };',
    });
    const { code, err } = await init("apps/web", "--yes");
    expect(code).toBe(0);
    expect(err).toContain("Install first:  pnpm install\nNext:  shiplog dev\n       shiplog deploy apps/web ");
    expect(parseSites(await folder.text("shiplog.sites.json"), "x").sites).toMatchObject([
      { name: "web", source: "apps/web", basePath: "/shop" },
    ]);
    expect(JSON.parse(await folder.text("apps/web/package.json")).devDependencies).toEqual({ "@opennextjs/aws": "4.1.12" });
    expect(await folder.text(".github/workflows/deploy.yml")).toContain("shiplog deploy apps/web --site web --yes");
    expect(await folder.text(".gitignore")).toBe(".shiplog/\n");
    expect(await changesOf("apps/web")).toEqual([]);
  });

  it("an app of a workspace that nobody has installed yet", async () => {
    gitAt();
    await folder.put({ "package.json": { name: "root" }, "pnpm-workspace.yaml": "packages:\n  - apps/*\n" });
    await folder.put(Object.fromEntries(Object.entries(created()).map(([path, text]) => [`apps/web/${path}`, text])));
    expect(await plan("apps/web")).toMatchObject({ install: { folder: folder.root, command: "pnpm install" } });
    expect((await changesOf("apps/web"))[0]).toBe("shiplog.sites.json");
  });

  it("an app below the root of its repository, which is no workspace", async () => {
    gitAt();
    await folder.put({
      ".gitignore": ".shiplog\n",
      ...Object.fromEntries(Object.entries(created()).map(([path, text]) => [`web/${path}`, text])),
    });
    await folder.put({ "web/package-lock.json": {} });
    expect(await changesOf("web")).toEqual(["web/shiplog.sites.json", "web/package.json", ".github/workflows/deploy.yml"]);
  });

  it.each([
    ["yarn", "yarn.lock", "__metadata:\n  version: 8\n"],
    ["bun", "bun.lock", '{ "workspaces": { "": {} } }'],
  ])("%s, with its install and a word about packageManager", async (manager, lockfile, text) => {
    gitAt();
    await folder.put({ ...created(), [lockfile]: text });
    const { install, hints } = await plan();
    expect(install).toEqual({ folder: folder.root, command: `${manager} install` });
    expect(hints.join()).toContain(`has no "packageManager": builds take the ${manager} that the lockfile is of`);
  });

  it("an app of the Pages Router on Next.js 15 without next.config, which OpenNext needs", async () => {
    gitAt();
    await folder.put({
      ...created({ dependencies: { next: "15.5.29" } }),
      "pages/index.js": "export default () => null;\n",
      "package-lock.json": {},
    });
    await folder.remove("next.config.ts");
    expect(await changesOf()).toEqual([
      "shiplog.sites.json",
      "package.json",
      "next.config.mjs",
      ".gitignore",
      ".github/workflows/deploy.yml",
    ]);
    expect((await plan()).findings).toEqual([]);
  });

  it("a Next.js that this OpenNext does not work with, and what it cannot mend", async () => {
    await folder.put({
      ...created({ dependencies: { next: "14.2.0" } }),
      "package-lock.json": {},
      "app/route.ts": 'export const runtime = "edge";',
    });
    expect((await plan()).findings.map(({ code }) => code)).toEqual(["next.edge", "next.version"]);
  });

  it("an app without a lockfile", async () => {
    await folder.put(created());
    expect(await plan()).toMatchObject({ install: { command: "npm install" }, findings: [] });
  });

  it("no Next.js app: it refuses, and writes nothing", async () => {
    await folder.put({ "package.json": { dependencies: { vue: "3" } } });
    const { code, out, err } = await init("", "--yes");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain('is not a Next.js app: its package.json does not depend on "next".');
    expect(await isThere("shiplog.sites.json")).toBe(false);
  });

  it("a package.json with tabs and CRLF, which it leaves so", async () => {
    const text = '{\r\n\t"name": "x",\r\n\t"dependencies": {\r\n\t\t"next": "16.4.5"\r\n\t}\r\n}';
    await folder.put({ "package.json": text, "next.config.js": "", "package-lock.json": {}, ".gitignore": "a\r\nb" });
    gitAt();
    const { out } = await init("", "--yes");
    expect(out).not.toContain("\r");
    expect(await folder.text("package.json")).toBe(
      '{\r\n\t"name": "x",\r\n\t"dependencies": {\r\n\t\t"next": "16.4.5"\r\n\t},\r\n\t"devDependencies": {\r\n\t\t"@opennextjs/aws": "4.1.12"\r\n\t}\r\n}',
    );
    expect(await folder.text(".gitignore")).toBe("a\r\nb\r\n.shiplog/\r\n");
  });
});
