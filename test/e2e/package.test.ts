import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LAYOUT, manifestOf, NEXT_15, NEXT_16, sh, shellEnvironment } from "../support/made-apps.ts";
import { until } from "../support/until.ts";
import { type Packages, packages } from "./support/packages.ts";

/**
 * What a new user has: an empty folder, the tarballs, and an app. Nothing of this is run from the tree. The journey of an
 * app that create-next-app makes is `documents.test.ts`, as the pages tell it.
 */
const QUIET = "--no-audit --no-fund --loglevel=error";

let tarballs: Packages;
let room: string;
/** a folder into which the engine's package was installed, and nothing else */
let installed: string;

/** A command line in a folder of the room, as a shell runs it, with a Node that is new enough. */
const run = async (folder: string, line: string): Promise<{ code: number | null; out: string; err: string }> => {
  const child = spawn("sh", ["-c", line], { cwd: folder, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
};
const environment = (): NodeJS.ProcessEnv => ({
  ...shellEnvironment(),
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
});

let running: { stop(): Promise<void> }[] = [];
/** `npx shiplog dev …`, until it is stopped as Ctrl-C does it. @returns the site's address */
const develop = async (folder: string, app: string): Promise<string> => {
  const child = spawn("npx", ["shiplog", "dev", "--app", app], { cwd: folder, env: environment(), detached: true });
  const gone = once(child, "exit");
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      said += text;
    });
  running.push({
    stop: async () => {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGINT");
      await gone;
    },
  });
  return until("the address of the site", () => /^\S+\/production +(http:\S+)$/m.exec(said)?.[1]);
};
afterEach(async () => {
  await Promise.all(running.map(({ stop }) => stop()));
  running = [];
});

beforeAll(async () => {
  tarballs = await packages();
  room = await mkdtemp(join(tmpdir(), "shiplog-installed-"));
  installed = join(room, "engine");
  await mkdir(installed);
  await sh(installed, `npm i ${QUIET} '${tarballs.engine}'`);
});
afterAll(async () => {
  await rm(room, { recursive: true, force: true });
});

const write = async (folder: string, files: Readonly<Record<string, string | object>>): Promise<void> => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
};

describe("from the installed package", () => {
  it("an app in a pnpm workspace is live at the first try", async () => {
    const work = join(room, "work");
    await write(work, {
      "package.json": { name: "root", private: true },
      "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
      "apps/shop/package.json": manifestOf(NEXT_16),
      "apps/shop/next.config.mjs": "export default {};\n",
      "apps/shop/app/layout.jsx": LAYOUT,
      "apps/shop/app/page.jsx": "export default () => <h1>of the workspace</h1>;\n",
    });
    await sh(work, "npx --yes pnpm@10 install --lockfile-only");
    const url = await develop(installed, "../work/apps/shop");
    const { code, err } = await run(installed, "npx shiplog deploy ../work/apps/shop");
    expect(code, err).toBe(0);
    expect(await (await fetch(url)).text()).toContain("of the workspace");
  });

  it("an app of the Pages Router on Next.js 15 is live at the first try", async () => {
    const app = join(room, "pages");
    await write(app, {
      "package.json": manifestOf(NEXT_15),
      "next.config.mjs": "export default {};\n",
      "pages/index.jsx": "export default () => <h1>of the Pages Router</h1>;\n",
    });
    await sh(app, `npm install --package-lock-only ${QUIET}`);
    const url = await develop(installed, "../pages");
    const { code, err } = await run(installed, "npx shiplog deploy ../pages");
    expect(code, err).toBe(0);
    expect(await (await fetch(url)).text()).toContain("of the Pages Router");
  });
});

describe("the packages", () => {
  it("have no tests, no Node and nothing that is made for one system alone", async () => {
    const { packages } = JSON.parse(await readFile(join(installed, "package-lock.json"), "utf8")) as {
      packages: Record<string, { optional?: boolean; os?: string[]; cpu?: string[]; hasInstallScript?: boolean }>;
    };
    const bound = Object.entries(packages).filter(([, { optional = false, os, cpu }]) => !optional && (os ?? cpu) !== undefined);
    expect(bound).toEqual([]);
    expect(Object.keys(packages).filter((name) => /node-linux|oven\/bun|vitest|playwright|chromium/.test(name))).toEqual([]);
    const files = await sh(room, `tar -tzf '${tarballs.engine}'`);
    expect(files).toContain("package/cli/start.mjs\n");
    expect(files.split("\n").filter((path) => /(^|\/)(test|examples|demo|node_modules)\//.test(path))).toEqual([]);
  });

  it("tell an older Node what they need, in a sentence", async () => {
    const older = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.0'})`;
    const { code, err } = await run(installed, `node --import "${older}" node_modules/.bin/shiplog --version`);
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: Shiplog needs Node 22\.18 or newer, and this is 20\.19\.0\.\n/)]);
  });

  it("put the engine on AWS from any folder: what is wrong is said before SST is asked", async () => {
    const said = await run(installed, "npx shiplog up --stage try");
    expect([said.code, said.err]).toEqual([2, expect.stringContaining("There is no sites file")]);
    expect((await run(installed, "npx shiplog up --stage Try --sites none")).err).toContain('the stage "Try" cannot stand in names');
  });

  it("have a small one for the commands that need the API alone", async () => {
    const small = join(room, "small");
    await mkdir(small);
    await sh(small, `npm i ${QUIET} '${tarballs.client}'`);
    expect((await readdir(join(small, "node_modules"))).filter((name) => !name.startsWith("."))).toEqual(["@shiplog-deploy"]);
    const folder = join(small, "node_modules/@shiplog-deploy/cli");
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2_000_000);
    expect((await run(small, "npx shiplog version")).out).toBe(
      `${JSON.parse(await readFile(join(folder, "package.json"), "utf8")).version}\n`,
    );
    expect((await run(small, "npx shiplog status")).err).toContain("does not know which engine");
    for (const command of ["dev", "doctor", "replay all", "replay edge", "replay snapshots", "audit verify", "up --stage try"]) {
      const { code, err } = await run(small, `npx shiplog ${command}`);
      expect([command, code, err]).toEqual([command, 2, expect.stringContaining("npm i -D @shiplog-deploy/shiplog@")]);
    }
  });
});
