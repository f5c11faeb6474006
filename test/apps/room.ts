import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { apiClient } from "../support/api-client.ts";

const SITE = "app";

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
    return startDevelopment({ tableDelayMs: 0, dataDir: join(folder, "data"), sitesFile, variables, log: () => undefined });
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
