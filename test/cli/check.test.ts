import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { examineApp } from "../../cli/examine-app.ts";
import { OPEN_NEXT } from "../../cli/tested-versions.ts";
import { type Folder, manifest, npmLock, openFolder, soundApp } from "./support/app-folder.ts";
import { runCli } from "./support/run-cli.ts";
import { environmentView, stubEngine } from "./support/stub-engine.ts";

let folder: Folder;
beforeEach(async () => {
  folder = await openFolder();
  await folder.put(soundApp());
});
afterEach(() => folder.close());

type Told = { level: string; code: string; message: string; mend?: string };
type Document = { findings: Told[]; next?: string; openNext?: string; install: unknown; source: { files: number; leftOut: unknown[] } };
const check = async (dir = "", env: Record<string, string> = {}): Promise<Document & { code: number | null; codes: string[] }> => {
  const { code, out, err } = await runCli(["check", folder.at(dir), "--json"], { cwd: folder.root, env });
  expect(out, err).not.toBe("");
  const document = JSON.parse(out) as Document;
  const codes = document.findings.filter(({ level }) => level !== "unchecked").map(({ level, code }) => `${level} ${code}`);
  return { ...document, code, codes };
};
const finding = async (code: string, dir = ""): Promise<Told | undefined> =>
  (await check(dir)).findings.find((one) => one.code === code && one.level !== "unchecked");

describe("shiplog check", () => {
  it("is content with a sound app, says what a build gets, and changes nothing", async () => {
    const { code, out, err } = await runCli(["check"], { cwd: folder.root });
    expect([code, err]).toEqual([0, "Nothing keeps it from being deployed.\n"]);
    expect(out).toMatch(/^next +16\.4\.5\nopennext +4\.1\.12\ninstall +npm ci .* \(package-lock\.json\)\nsource +4 files, /);
    expect(out).not.toContain("✗");
    expect(await folder.text("package.json")).toBe(`${JSON.stringify(manifest("16.4.5"), null, 2)}\n`);
  });

  it("tells everything at once, errors first, each with what mends it, and ends with 5", async () => {
    await folder.put({
      "package.json": { dependencies: { next: "16.4.5" }, engines: { node: "20.x" } },
      "yarn.lock": "",
      "open-next.config.ts": "export default { default: {}, middleware: { external: true } };",
      "app/api/route.ts": 'export const runtime = "edge";\n',
    });
    await folder.remove("next.config.ts");
    const { code, out, err } = await runCli(["check", folder.root]);
    expect(code).toBe(5);
    for (const words of [
      `✗ ${folder.root} has both package-lock.json and yarn.lock: which packages a build installs is not certain.`,
      "    Remove the one that is not used any more: rm yarn.lock",
      'its package.json does not depend on "@opennextjs/aws".\n    Run `npm install --save-dev @opennextjs/aws` there.',
      "bundles the middleware outside of the server (middleware.external), which is not supported.",
      `${folder.root} has no next.config file`,
      `app/api/route.ts in ${folder.root} asks for the edge runtime`,
      `! ${folder.at("package.json")} asks for Node 20.x (engines), and builds and functions on AWS have Node 24`,
    ])
      expect(out).toContain(words);
    expect(out.indexOf("! ")).toBeGreaterThan(out.lastIndexOf("✗ "));
    expect(err).toBe("5 errors, 1 warning.\n");
  });

  it("refuses a folder that is no Next.js app with 2", async () => {
    await folder.put({ "package.json": { dependencies: { react: "19" } } });
    const { code, err } = await runCli(["check", folder.root]);
    expect(code).toBe(2);
    expect(err).toContain('is not a Next.js app: its package.json does not depend on "next".');
  });

  it("takes a second of a processor for a thousand routes", async () => {
    for (let route = 0; route < 1_000; route += 1)
      await folder.put({ [`app/${route}/page.tsx`]: "export default () => null;\n".repeat(100) });
    const before = process.cpuUsage();
    expect((await examineApp(folder.root, { ownBuild: false, site: undefined })).findings).toEqual([]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_500);
  });
});

describe("the version of Next.js", () => {
  it.each([
    ["16.3.0", "warning next.version", "npm install next@^16.4.1"],
    ["15.5.2", "warning next.version", "npm install next@^15.5.28"],
    ["14.2.0", "error next.version", "npm install next@^16.4.1"],
  ])("is held against OpenNext's range: %s", async (next, told, command) => {
    await folder.put({ "package.json": manifest(next), "package-lock.json": npmLock(next) });
    const { codes, findings } = await check();
    expect(codes).toEqual([told]);
    expect(findings[0]?.message).toBe(`Next.js is ${next}, and @opennextjs/aws 4.1.12 works with >=15.5.28 <16 || >=16.4.1.`);
    expect(findings[0]?.mend).toContain(command);
  });

  it.each([
    [
      "pnpm-lock.yaml",
      "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      next:\n        specifier: ^16\n        version: 14.0.0(react@19.0.0)\n    devDependencies:\n      '@opennextjs/aws':\n        specifier: ^4.1.12\n        version: 4.1.12(next@14.0.0)\n\npackages:\n\n  '@opennextjs/aws@4.1.12':\n    resolution: {integrity: x}\n    peerDependencies:\n      next: '>=15.5.28 <16 || >=16.4.1'\n\n  next@14.0.0:\n    resolution: {integrity: x}\n",
    ],
    [
      "yarn.lock",
      '__metadata:\n  version: 8\n\n"@opennextjs/aws@npm:^4.1.12":\n  version: 4.1.12\n  peerDependencies:\n    next: ">=15.5.28 <16 || >=16.4.1"\n\n"next@npm:^16":\n  version: 14.0.0\n',
    ],
    [
      "bun.lock",
      '{\n  "workspaces": { "": { "dependencies": { "next": "^16", }, "devDependencies": { "@opennextjs/aws": "^4.1.12", }, }, },\n  "packages": {\n    "@opennextjs/aws": ["@opennextjs/aws@4.1.12", "", { "peerDependencies": { "next": ">=15.5.28 <16 || >=16.4.1" } }, "sha"],\n    "next": ["next@14.0.0", "", {}, "sha"],\n  }\n}\n',
    ],
  ])("is what %s says, not what package.json asks for", async (lockfile, text) => {
    await folder.remove("package-lock.json");
    await folder.put({ "package.json": manifest("^16"), [lockfile]: text });
    expect(await check()).toMatchObject({ next: "14.0.0", openNext: "4.1.12", codes: ["error next.version"] });
  });

  it("is what is installed where the lockfile does not say it, and unchecked where nothing does", async () => {
    await folder.remove("package-lock.json");
    const classic = '"@opennextjs/aws@^4.1.12":\n  version "4.1.13"\n\nnext@^16:\n  version "16.4.5"\n';
    await folder.put({ "package.json": manifest("^16"), "yarn.lock": classic });
    const without = await check();
    expect([without.codes, without.findings.map(({ code }) => code)]).toEqual([[], ["next.version", "engine.not-asked"]]);
    await folder.put({ "node_modules/next/package.json": { version: "14.0.0" } });
    await folder.remove("yarn.lock");
    await folder.put({
      "bun.lockb": "",
      "node_modules/@opennextjs/aws/package.json": { version: "4.1.12", peerDependencies: { next: ">=15" } },
    });
    expect(await check()).toMatchObject({ next: "14.0.0", codes: ["error next.version"] });
  });
});

it("OpenNext's version and range that apps are held against are those of the example that every release is tried with", () => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../examples/next-app/package-lock.json"), "utf8"));
  const { version, peerDependencies } = lock.packages["node_modules/@opennextjs/aws"];
  expect(OPEN_NEXT).toEqual({ version, next: peerDependencies.next });
});

describe("the lockfile", () => {
  it("is missing, with the command of the manager that package.json names", async () => {
    await folder.remove("package-lock.json");
    await folder.put({ "package.json": manifest("16.4.5", { packageManager: "pnpm@10.1.0" }) });
    expect((await finding("lockfile.missing"))?.mend).toContain("Run `pnpm install` there");
  });

  it("lacks what package.json wants", async () => {
    await folder.put({ "package.json": manifest("16.4.5", { dependencies: { next: "16.4.5", zod: "4" } }) });
    expect(await finding("lockfile.stale")).toMatchObject({
      level: "error",
      message: expect.stringContaining("package-lock.json does not have zod, which"),
      mend: "Run `npm install`, and commit package-lock.json.",
    });
  });

  it("of classic yarn does not list what its own workspace has, and lacks nothing for that", async () => {
    await folder.remove("package-lock.json");
    await folder.put({
      "package.json": manifest("16.4.5", { dependencies: { next: "16.4.5", "@acme/ui": "*" } }),
      "yarn.lock": '"@opennextjs/aws@^4.1.12":\n  version "4.1.12"\n\nnext@16.4.5:\n  version "16.4.5"\n',
    });
    expect((await check()).codes).toEqual([]);
    await folder.put({ "yarn.lock": 'next@16.4.5:\n  version "16.4.5"\n' });
    expect((await check()).codes).toEqual(["error lockfile.stale"]);
  });

  it("is left out of the source by a .gitignore", async () => {
    await folder.put({ ".gitignore": "package-lock.json\n" });
    expect(await finding("source.ignored")).toMatchObject({ level: "error", mend: "Remove it from .gitignore." });
  });
});

it("an engines field that ends an install of pnpm is an error, and a range that has the build's Node is none", async () => {
  await folder.remove("package-lock.json");
  await folder.put({ "package.json": manifest("16.4.5", { engines: { node: "22.x" } }), "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" });
  expect(await finding("node.version")).toMatchObject({ level: "error", mend: expect.stringContaining('"22.x || 24.x"') });
  await folder.put({ "package.json": manifest("16.4.5", { engines: { node: ">=20.9" } }) });
  expect(await finding("node.version")).toBeUndefined();
});

describe("next.config", () => {
  it.each([
    ['export default { output: "export" };', "error next.export"],
    ["export default { experimental: { useSkewCookie: true } };", "warning next.ids"],
  ])("%s", async (text, told) => {
    await folder.put({ "next.config.ts": text });
    expect((await check()).codes).toEqual([told]);
  });

  it("may set both ids itself: the engine's win", async () => {
    await folder.put({
      "next.config.ts": 'export default { deploymentId: "mine", generateBuildId: async () => "mine" }; // output: "export"',
    });
    expect((await check()).codes).toEqual([]);
  });
});

describe("the edge runtime", () => {
  it.each([
    ["app/a/route.ts", "export const runtime = 'edge';"],
    ["src/app/page.tsx", 'import x from "y";\nexport const runtime: string = "edge";'],
    ["pages/api/b.js", "export const config = {\n  api: {},\n  runtime: 'experimental-edge',\n};"],
  ])("is refused in %s", async (file, text) => {
    await folder.put({ [file]: text });
    expect((await finding("next.edge"))?.message).toContain(`${file} in `);
  });
  it.each([
    '/*\nexport const runtime = "edge";\n*/',
    'export const runtime = "nodejs";',
    'const text = `x`; // export const runtime = "edge"',
  ])("is not seen in %j", async (text) => {
    await folder.put({ "app/a/route.ts": text });
    expect((await check()).codes).toEqual([]);
  });
});

describe("against its site", () => {
  const declare = (more: object) =>
    folder.put({ "shiplog.sites.json": { sites: [{ name: "web", source: ".", environments: [{ name: "live" }], ...more }] } });
  const wrapper = 'export default { default: { override: { wrapper: "aws-lambda-streaming" } } };';

  it("an app streams, or not, as the site says", async () => {
    await declare({ streaming: true });
    expect((await finding("open-next.streaming"))?.message).toMatch(/The site "web" streams, and its server gives whole answers/);
    await folder.put({ "open-next.config.ts": wrapper });
    expect((await check()).codes).toEqual([]);
    await declare({});
    expect((await finding("open-next.streaming"))?.message).toMatch(/takes whole answers/);
    await folder.put({ "open-next.config.ts": "import made from './made';\nexport default made;" });
    expect((await check()).codes).toEqual([]);
  });

  it("an app has the split functions and the basePath that are declared", async () => {
    await declare({ functions: { api: ["/api/*"] } });
    await folder.put({ "next.config.ts": 'export default { basePath: "/docs" };' });
    expect((await check()).codes).toEqual(["error open-next.functions", "warning next.base-path"]);
    // without split functions the edge goes by each release
    await declare({});
    expect((await check()).codes).toEqual([]);
  });

  it("whether variables have values is said to be unchecked", async () => {
    await declare({ variables: ["API_URL"] });
    expect((await check()).findings.map(({ message }) => message).join()).toContain("Whether web has values for API_URL was not checked");
  });

  it("an app that says itself how it is built needs neither lockfile nor next.config", async () => {
    await folder.remove("package-lock.json");
    await folder.remove("next.config.ts");
    await declare({ build: { commands: ["make"] }, architecture: "x86_64" });
    expect((await check()).codes).toEqual([]);
  });
});

describe("the engine", () => {
  it("says what its environment was made for; one that does not answer is waited for 3 seconds", async () => {
    const engine = await stubEngine();
    engine.state.environments = [
      Object.assign(environmentView(), { functions: ["shiplog-web-production-server", "shiplog-web-production-server-api"] }),
    ];
    const { codes, findings } = await check("", engine.env);
    expect(codes).toEqual(["error open-next.functions"]);
    expect(findings[0]?.message).toContain("splits nothing, and web/production was made for the split function api.");
    engine.state.hang.add("GET /v1/environments");
    const silent = await check("", engine.env);
    expect([silent.code, silent.findings[0]?.message]).toEqual([
      0,
      "What the environment was made for was not checked. It did not answer in 3 s.",
    ]);
    await engine.close();
  });
});

describe("variables", () => {
  const variable = (name: string, value: "set" | "empty" | "none", declared = true) => ({
    ...{ name, value, declared, fingerprint: null, at: null, by: null, changed: null },
  });

  it("that are declared and have no value are named, with the command that sets each", async () => {
    const engine = await stubEngine();
    engine.state.listed = [variable("API_URL", "none"), variable("KEY", "empty"), variable("A", "set"), variable("OLD", "none", false)];
    const { codes, findings } = await check("", engine.env);
    expect(codes).toEqual(["error variables.missing", "warning variables.empty"]);
    expect(findings.map(({ mend }) => mend)).toEqual([
      "shiplog env set API_URL --site web --env production",
      "shiplog env set KEY --site web --env production",
    ]);
    await engine.close();
  });

  it("without a value are refused by deploy before the upload, and empty ones are warned of", async () => {
    const engine = await stubEngine();
    engine.state.listed = [variable("API_URL", "none"), variable("KEY", "empty")];
    const { code, err } = await runCli(["deploy", folder.root], { cwd: folder.root, env: engine.env });
    expect([code, engine.state.uploads.length]).toEqual([2, 0]);
    expect(err).toContain("The value of KEY in web/production is empty");
    expect(err).toContain("web/production has no value for API_URL, and no build begins without one.");
    expect(err).toContain("shiplog env set API_URL --site web --env production");
    await engine.close();
  });

  describe("are unchecked, and it is said why,", () => {
    beforeEach(() =>
      folder.put({
        "shiplog.sites.json": { sites: [{ name: "web", source: ".", environments: [{ name: "production" }], variables: ["API_URL"] }] },
      }),
    );
    const why = async (env?: Record<string, string>) =>
      (await check("", env)).findings.map(({ code, message }) => [code, message.replace(/^.* was not checked/, "")]);

    it("where no engine can be asked", async () => {
      expect(await why()).toEqual([
        ["engine.not-asked", expect.stringContaining(".")],
        ["variables.unknown", ": no engine was asked."],
      ]);
    });

    it.each([
      [403, "github.forbidden", "A run of GitHub Actions may not read this. It may deploy.", "A run of GitHub Actions may not read this"],
      [404, "route.unknown", "There is no such path", "There is no such path"],
      [503, "busy", "The table is busy.", "Shiplog could not do this: The table is busy"],
    ])("where the engine answers %i", async (status, code, message, clause) => {
      const engine = await stubEngine();
      engine.state.instead.set("GET /v1/environments/web/production/variables", {
        status,
        body: { error: { code, message } },
        always: true,
      });
      expect(await why(engine.env)).toEqual([["variables.unknown", `: ${clause}.`]]);
      await engine.close();
    });

    it("where it does not answer", async () => {
      const engine = await stubEngine();
      engine.state.hang.add("GET /v1/environments/web/production/variables");
      expect(await why(engine.env)).toEqual([["variables.unknown", ": the engine did not answer in time."]]);
      await engine.close();
    });
  });
});

describe("the source", () => {
  it("is without values that git does not track, which is a warning where the site does not declare them", async () => {
    folder.git("init", "-q");
    await folder.put({ ".gitignore": ".env*\n", ".env.production": "# A=1\nAPI_URL=secret-value\nexport KEY=x\n", ".env.local": "B=1" });
    const told = await finding("source.env-untracked");
    expect(told).toMatchObject({ level: "warning", message: expect.stringContaining("builds do not get its values (API_URL, KEY).") });
    expect(told?.mend).toContain("git add --force .env.production");
    expect(JSON.stringify(await check())).not.toContain("secret-value");
    await folder.put({
      "shiplog.sites.json": { sites: [{ name: "web", source: ".", environments: [{ name: "live" }], variables: ["API_URL", "KEY"] }] },
    });
    expect(await finding("source.env-untracked")).toBeUndefined();
  });

  it("names what it leaves out, and why", async () => {
    await folder.put({
      ".gitignore": "generated\n",
      ".shiplogignore": "films\n",
      "generated/a.ts": "",
      "films/a.mov": "",
      ".env.local": "A=1",
    });
    const { out } = await runCli(["check", folder.root]);
    expect(out).toContain("without generated (named in .gitignore)");
    expect(out).toContain("without films (named in .shiplogignore)");
    expect(out).toContain("without .env.local (values of this machine alone;");
  });

  it("is large, and by what", async () => {
    await folder.put({ "public/film.mov": "x".repeat(120_000_000) });
    expect((await finding("source.large"))?.message).toMatch(/is 120\.0 MB before it is packed: public\/film\.mov 120\.0 MB, /);
  });

  it("of a workspace is the workspace", async () => {
    await folder.put({
      "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
      "package.json": { name: "root" },
      "apps/web/package.json": manifest("16.4.5"),
      "apps/web/next.config.mjs": "",
      "pnpm-lock.yaml":
        "lockfileVersion: '9.0'\n\nimporters:\n\n  apps/web:\n    dependencies:\n      next:\n        specifier: 16.4.5\n        version: 16.4.5\n",
    });
    await folder.remove("package-lock.json");
    const told = await check("apps/web");
    expect(told.codes).toEqual(["error lockfile.stale"]);
    expect(told).toMatchObject({ root: folder.root, install: { manager: "pnpm" } });
  });
});
