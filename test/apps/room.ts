import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { apiClient } from "../support/api-client.ts";

/** The versions that apps are made with: what the registry has whole, for every platform. */
export const NEXT_16 = "16.4.5";
export const NEXT_15 = "15.5.29";
export const OPEN_NEXT = "^4.1.12";
const CREATE_NEXT_APP = "16.4.3";
const SITE = "app";

/** What a person's shell has, without what npm told the tests. */
export const shellEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_(?!registry)|lifecycle|package)/.test(name)));

/** A command as a person types it. Throws with what it printed. */
export const sh = async (folder: string, command: string): Promise<string> => {
  const ran = await promisify(execFile)("sh", ["-c", command], {
    cwd: folder,
    env: { ...shellEnvironment(), CI: "1" },
    maxBuffer: 64 * 1024 ** 2,
  });
  return ran.stdout;
};

/** An app that is live: its address, its deployment, and what the command printed on the way. */
export type Live = {
  readonly url: string;
  readonly deployment: DeploymentView;
  readonly said: string;
  readonly engine: Development;
  /** another command of Shiplog; what it printed */
  shiplog(...words: string[]): Promise<string>;
};

export type Room = Awaited<ReturnType<typeof openRoom>>;

/** A folder for apps, and the engine with one of them as its site once it is asked to bring it live. */
export const openRoom = async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-apps-"));
  let dev: Development | undefined;
  const start = async (app: string, site: object, variables: Readonly<Record<string, string>>): Promise<Development> => {
    const sitesFile = join(folder, "sites.json");
    const declared = { name: SITE, source: app, environments: [{ name: "production" }], variables: Object.keys(variables), ...site };
    await writeFile(sitesFile, JSON.stringify({ sites: [declared] }));
    return startDevelopment({ dataDir: join(folder, "data"), sitesFile, variables, log: () => undefined });
  };
  const shiplog = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await runCli(words, { cwd: folder, env: { SHIPLOG_DATA: join(folder, "data") } });
    expect(code, `${err}${out}`).toBe(0);
    return `${err}${out}`;
  };
  return {
    folder,
    write: async (files: Readonly<Record<string, string | object>>): Promise<void> => {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
      }
    },
    /** Deploys the app in this folder of the room by the command, as a person does. Fails with what it printed where the app is not live. */
    live: async (app: string, site: object = {}, variables: Readonly<Record<string, string>> = {}): Promise<Live> => {
      dev ??= await start(app, site, variables);
      const said = await shiplog("deploy", app);
      const [url, id] = [dev.sites[0]?.url ?? "", /^id +(\S+)$/m.exec(said)?.[1] ?? ""];
      return { url, deployment: await apiClient(dev.apiUrl, dev.token).deployment(id), said, engine: dev, shiplog };
    },
    close: async (): Promise<void> => {
      await dev?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Writes npm's lockfile of an app. */
export const lock = (folder: string): Promise<string> => sh(folder, "npm install --package-lock-only --no-audit --no-fund");

/** What `create-next-app --empty` writes (its other template asks Google for fonts), nothing of it changed but the version of Next.js. */
export const untouched = async (folder: string, name: string, next: string, git = false): Promise<string> => {
  await sh(
    folder,
    `npx --yes create-next-app@${CREATE_NEXT_APP} ${name} --ts --no-eslint --no-tailwind --app --empty --no-src-dir --import-alias '@/*' ${git ? "" : "--disable-git"} --skip-install --use-npm --yes`,
  );
  const app = join(folder, name);
  await editManifest(app, (manifest) => {
    manifest.dependencies = { ...manifest.dependencies, next };
  });
  return app;
};

/** The same with OpenNext among its packages. */
export const createNextApp = async (folder: string, name: string, next: string): Promise<string> => {
  const app = await untouched(folder, name, next);
  await editManifest(app, (manifest) => {
    manifest.devDependencies = { ...manifest.devDependencies, "@opennextjs/aws": OPEN_NEXT, typescript: "^5" };
  });
  return app;
};

type Manifest = Record<"dependencies" | "devDependencies", Record<string, string>>;
const editManifest = async (app: string, edit: (manifest: Manifest) => void): Promise<void> => {
  const file = join(app, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as Manifest;
  edit(manifest);
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
};

/** The package.json of an app without TypeScript. */
export const manifestOf = (next: string, more: object = {}) => ({
  name: "app",
  private: true,
  scripts: { build: "next build" },
  dependencies: { next, react: "^19", "react-dom": "^19" },
  devDependencies: { "@opennextjs/aws": OPEN_NEXT },
  ...more,
});

export const LAYOUT = "export default ({ children }) => <html lang='en'><body>{children}</body></html>;\n";
