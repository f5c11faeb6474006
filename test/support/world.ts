import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { DeleteAliasCommand, DeleteFunctionCommand } from "@aws-sdk/client-lambda";
import { siteResources } from "../../blueprint/site-resources.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Development, type DevelopmentOptions, startDevelopment } from "../../local/development.ts";
import { wire as wireReconciler } from "../../services/reconcile/handler.ts";
import { type ApiClient, apiClient, type LoggedEvent } from "./api-client.ts";
import { type FixtureApp, writeFixtureApp } from "./fixture-app.ts";
import { until } from "./until.ts";

export type WorldOptions = Pick<DevelopmentOptions, "variables" | "codeBuild" | "account" | "allowLoopbackWebhooks" | "tableDelayMs"> & {
  /** the site `web` has these, and its source is the fixture app */
  environments: readonly string[];
  /** more of the site `web`, as in a sites file */
  site?: object;
  /** further sites, as in a sites file; their source is the fixture app where they name none */
  sites?: readonly { name: string; environments: readonly { name: string }[]; buildTimeoutMinutes?: number; source?: string }[];
  /** whose tokens of GitHub Actions are taken, as in a sites file */
  github?: object;
};

/** The whole engine on this machine with the fixture app as its sites, and what a test does with it. */
export type World = Awaited<ReturnType<typeof startWorld>>;

export const SITE = "web";
const ENDS = ["success", "failed", "cancelled", "superseded", "held"];
const NEVER_MS = 3_600_000;

export async function startWorld({ environments, site = {}, sites = [], github, variables = {}, ...more }: WorldOptions) {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-flow-"));
  await writeFixtureApp(join(folder, "app"));
  const declared = [{ name: SITE, environments: environments.map((name) => ({ name })), ...site }, ...sites];
  await writeFile(join(folder, "sites.json"), JSON.stringify({ sites: declared.map((one) => ({ source: "app", ...one })), github }));
  const lines: string[] = [];
  const dev: Development = await startDevelopment({
    dataDir: join(folder, "data"),
    sitesFile: join(folder, "sites.json"),
    variables,
    reconcileEveryMs: NEVER_MS,
    // a flip is seen by the next request, so that a test may demand it
    tableDelayMs: 0,
    log: (line) => void lines.push(line),
    ...more,
  });
  const api: ApiClient = apiClient(dev.apiUrl, dev.token);
  let apps = 0;
  let gates = 0;

  /** A folder with the fixture app, changed. */
  const app = async (change: FixtureApp = {}): Promise<string> => {
    apps += 1;
    const dir = join(folder, `app-${apps}`);
    await writeFixtureApp(dir, change);
    return dir;
  };
  /** Takes the server's version of a release away, as a hand would: with the alias that holds it. */
  const deleteServer = async (deploymentId: string): Promise<void> => {
    const { lambda } = dev.aws.clients;
    const { release } = await api.deployment(deploymentId);
    const { name: FunctionName, version: Qualifier } = release?.functions.find(({ role }) => role === "server") ?? {};
    await lambda.send(new DeleteAliasCommand({ FunctionName, Name: `r-${release?.address}` }));
    await lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier }));
  };
  const deploy = async (environment: string, change: FixtureApp = {}, of = SITE): Promise<string> =>
    deployFolder(environment, await app(change), of);
  const deployFolder = async (environment: string, dir: string, of = SITE): Promise<string> =>
    (await api.deploy(of, environment, await api.upload(of, dir))).id;
  /** The deployment once it is at that status; else an error that says what it came to. */
  const reached = (id: string, ...wanted: string[]): Promise<DeploymentView> =>
    until(`${id} to be ${wanted.join(" or ")}`, async () => {
      const view = await api.deployment(id);
      if (wanted.includes(view.status)) return view;
      if (ENDS.includes(view.status) && view.status !== "held")
        throw new Error(`${id} is ${view.status} (${view.step}: ${view.reason}), not ${wanted.join(" or ")}`);
      return undefined;
    });
  const eventsOf = async (environment: string, ...types: string[]): Promise<LoggedEvent[]> =>
    (await api.events(`environments/${SITE}/${environment}`)).filter(({ type }) => types.length === 0 || types.includes(type));

  /** For a build that must not end before the test lets it. */
  const gate = (): { waitsFor: string; open(): Promise<void> } => {
    gates += 1;
    const waitsFor = join(folder, `gate-${gates}`);
    return { waitsFor, open: () => writeFile(waitsFor, "") };
  };

  return {
    dev,
    api,
    aws: dev.aws,
    folder,
    /** everything that the engine and the functions said */
    lines,
    app,
    gate,
    deploy,
    deleteServer,
    deployFolder,
    reached,
    /** Deploys and waits until it is live. */
    live: async (environment: string, change: FixtureApp = {}, of = SITE): Promise<string> =>
      (await reached(await deploy(environment, change, of), "success")).id,
    eventsOf,
    /** The first event of the environment, after a version of its stream, for which this is true, once there is one. */
    happened: (environment: string, what: string, is: (event: LoggedEvent) => boolean, after = 0): Promise<LoggedEvent> =>
      until(what, async () => (await api.events(`environments/${SITE}/${environment}`, after)).find(is)),
    resources: (environment: string, of = SITE) => siteResources(of, environment),
    /** The builds that were started for one environment: what others build meanwhile is not among them. */
    buildsOf: async (environment: string, of = SITE): Promise<readonly string[]> => {
      const { project: projectName } = siteResources(of, environment);
      return (await dev.aws.clients.codeBuild.send(new ListBuildsForProjectCommand({ projectName }))).ids ?? [];
    },
    urlOf: (environment: string, of = SITE): string =>
      dev.sites.find((one) => one.site === of && one.environment === environment)?.url ?? `no ${of}/${environment}`,
    /** One run of what runs on a timer. */
    reconcile: wireReconciler(dev.engine),
    close: async (): Promise<void> => {
      await dev.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
