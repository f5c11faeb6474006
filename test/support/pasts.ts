import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FixtureApp, writeFixtureApp } from "./fixture-app.ts";
import { type KillableShiplog, startKillable } from "./killable-shiplog.ts";
import { until } from "./until.ts";

export const SITE = "web";
export const ENVIRONMENT = "production";
const ENDS = ["success", "failed", "cancelled", "superseded"];

/** What an environment has seen before a test begins. */
export type Past = "one is live" | "two were live" | "one is held";
export type Pasts = Awaited<ReturnType<typeof makePasts>>;

/** Makes each past once, by really deploying; a test starts on a copy of its data folder. */
export const makePasts = async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-kill-"));
  const sitesFile = join(folder, "sites.json");
  await writeFixtureApp(join(folder, "app"));
  await writeFile(sitesFile, JSON.stringify({ sites: [{ name: SITE, source: "app", environments: [{ name: ENVIRONMENT }] }] }));
  const data = join(folder, "data");
  const keep = async (past: Past, act: (shiplog: KillableShiplog) => Promise<unknown>): Promise<void> => {
    const shiplog = await startKillable(data, sitesFile);
    try {
      await act(shiplog);
    } finally {
      await shiplog.stop();
    }
    await cp(data, join(folder, past), { recursive: true });
  };

  await keep("one is live", async ({ api }) => ended(api, await deploy(api, join(folder, "app"), "first"), "success"));
  await keep("two were live", async ({ api }) => ended(api, await deploy(api, join(folder, "app"), "second"), "success"));
  await keep("one is held", async ({ api }) => {
    await api.rollback(SITE, ENVIRONMENT);
    await until("the rollback", async () => (await api.environment(SITE, ENVIRONMENT)).live?.reason === "rollback");
    await ended(api, await deploy(api, join(folder, "app"), "third"), "held");
  });

  let copies = 0;
  return {
    sitesFile,
    /** A data folder of its own with that past. Its ports are forgotten, because several run at once. */
    copy: async (past: Past): Promise<string> => {
      copies += 1;
      const own = join(folder, `copy-${copies}`);
      await cp(join(folder, past), own, { recursive: true });
      const { token } = JSON.parse(await readFile(join(own, "memory.json"), "utf8")) as { token: string };
      await writeFile(join(own, "memory.json"), JSON.stringify({ token, ports: {} }));
      return own;
    },
    /** A folder with the fixture app, changed; `first` runs before everything else of its build. */
    app: async (change: FixtureApp, first: string): Promise<string> => {
      copies += 1;
      const dir = join(folder, `app-${copies}`);
      await writeFixtureApp(dir, change);
      const script = join(dir, "make-output.mjs");
      await writeFile(script, `${first}\n${await readFile(script, "utf8")}`);
      return dir;
    },
    usualApp: join(folder, "app"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};

type Api = KillableShiplog["api"];

/** Asks for a deployment and gives its id; asked again with the same key, it is the same deployment. */
export const deploy = async (api: Api, app: string, key: string): Promise<string> => {
  const source = await api.upload(SITE, app);
  const { status, body, text } = await api.post(
    "deployments",
    { site: SITE, environment: ENVIRONMENT, source },
    { "idempotency-key": key },
  );
  if (status !== 202) throw new Error(`the API answered ${status}: ${text}`);
  return body.deployment.id;
};

/** Waits until a deployment is at that status; fails where it ends with another. */
export const ended = (api: Api, id: string, wanted: string): Promise<string> =>
  until(
    `${id} to be ${wanted}`,
    async () => {
      const { status, body } = await api.get(`deployments/${id}`);
      if (status !== 200) return undefined; // not projected yet
      const { deployment } = body;
      if (deployment.status === wanted) return id;
      if (ENDS.includes(deployment.status)) throw new Error(`${id} is ${deployment.status} (${deployment.reason}), not ${wanted}`);
      return undefined;
    },
    60_000,
  );
