import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The versions that apps are made with: what the registry has whole, for every platform. */
export const NEXT_16 = "16.4.5";
export const NEXT_15 = "15.5.29";
export const OPEN_NEXT = "^4.1.12";
export const CREATE_NEXT_APP = "16.4.3";

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

/** Writes npm's lockfile of an app. */
export const lock = (folder: string): Promise<string> => sh(folder, "npm install --package-lock-only --no-audit --no-fund");

/** What `create-next-app --empty` writes (its other template asks Google for fonts), nothing of it changed but the version of Next.js. */
const untouched = async (folder: string, name: string, next: string): Promise<string> => {
  await sh(
    folder,
    `npx --yes create-next-app@${CREATE_NEXT_APP} ${name} --ts --no-eslint --no-tailwind --app --empty --no-src-dir --import-alias '@/*' --disable-git --skip-install --use-npm --yes`,
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
