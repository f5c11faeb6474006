import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { planBuild } from "../../cli/next-app.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { apiClient } from "../support/api-client.ts";
import { until } from "../support/until.ts";

/** The versions that apps are made with: what the registry has whole, for every platform. */
export const NEXT_16 = "16.4.5";
export const NEXT_15 = "15.5.29";
export const OPEN_NEXT = "^4.1.12";
const CREATE_NEXT_APP = "16.4.3";
const BUILD_MS = 1_500_000;
const SITE = "app";

/** A command as a person types it. Throws with what it printed. */
export const sh = async (folder: string, command: string): Promise<string> => {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_(?!registry)|lifecycle|package)/.test(name)),
  );
  const ran = await promisify(execFile)("sh", ["-c", command], {
    cwd: folder,
    env: { ...environment, CI: "1" },
    maxBuffer: 64 * 1024 ** 2,
  });
  return ran.stdout;
};

export type Room = Awaited<ReturnType<typeof openRoom>>;

/** A folder for an app, and the engine with that app as its site once it is asked to deploy it. */
export const openRoom = async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-apps-"));
  let dev: Development | undefined;
  return {
    folder,
    write: async (files: Readonly<Record<string, string | object>>): Promise<void> => {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
      }
    },
    /** Deploys the app as the command does, and answers what became of it and where it is. */
    deploy: async (app: string, site: object = {}): Promise<DeploymentView & { url: string }> => {
      if (dev === undefined) {
        const sitesFile = join(folder, "sites.json");
        const declared = { name: SITE, source: app, environments: [{ name: "production" }], ...site };
        await writeFile(sitesFile, JSON.stringify({ sites: [declared] }));
        dev = await startDevelopment({ dataDir: join(folder, "data"), sitesFile, variables: {}, log: () => undefined });
      }
      const api = apiClient(dev.apiUrl, dev.token);
      const { root, app: inside } = await planBuild(app, false);
      const source = { ...(await api.upload(SITE, root)), ...(inside !== undefined && { app: inside }) };
      const { id } = await api.deploy(SITE, "production", source);
      const isOver = ({ status }: DeploymentView): boolean => ["success", "failed", "cancelled", "superseded"].includes(status);
      const view = await until(`${id} to end`, async () => [await api.deployment(id)].find(isOver), BUILD_MS);
      return { ...view, url: dev.sites[0]?.url ?? "" };
    },
    close: async (): Promise<void> => {
      await dev?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** What `create-next-app --empty` writes (its other template asks Google for fonts), nothing of it changed but the version of Next.js, with OpenNext among its packages. */
export const createNextApp = async (folder: string, name: string, next: string): Promise<string> => {
  await sh(
    folder,
    `npx --yes create-next-app@${CREATE_NEXT_APP} ${name} --ts --no-eslint --no-tailwind --app --empty --no-src-dir --import-alias '@/*' --disable-git --skip-install --use-npm --yes`,
  );
  const app = join(folder, name);
  const file = join(app, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  manifest.dependencies.next = next;
  manifest.devDependencies = { ...manifest.devDependencies, "@opennextjs/aws": OPEN_NEXT, typescript: "^5" };
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
  return app;
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
