import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineConfig } from "../../blueprint/engine-config.ts";
import { api as apiFunction } from "../../blueprint/engine-functions.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { type Engine, engine, systemClock } from "../../engine/wiring/engine.ts";
import { serveApi } from "../../local/api-server.ts";
import { startAws } from "../../local/aws.ts";
import { clientOptions } from "../../local/client-options.ts";
import { runConsumers, runSchedules } from "../../local/consumers.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { provisionSite } from "../../local/provision/site-resources.ts";
import { readSites } from "../../local/sites.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { apiClient } from "./api-client.ts";
import { writeFixtureApp } from "./fixture-app.ts";

export type PartsWorld = Awaited<ReturnType<typeof startPartsWorld>>;

/**
 * The engine on this machine with one site `web`, its parts in the hands of who asks: consumers start and stop, and each
 * function has AWS clients of its own, as on AWS. There is no edge.
 *
 * @param prepare is given the clients of each function before it starts
 */
export const startPartsWorld = async ({
  environments,
  site: declared = {},
  variables = {},
  prepare = () => undefined,
}: {
  environments: readonly string[];
  /** more of the site, as in a sites file */
  site?: object;
  variables?: Readonly<Record<string, string>>;
  prepare?: (name: string, clients: Clients) => void;
}) => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-parts-"));
  const sitesFile = join(folder, "sites.json");
  await writeFixtureApp(join(folder, "app"));
  await writeFile(
    sitesFile,
    JSON.stringify({
      sites: [
        {
          name: "web",
          source: "app",
          environments: environments.map((name) => ({ name })),
          variables: Object.keys(variables),
          ...declared,
        },
      ],
    }),
  );
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const aws = await startAws({ dataDir: join(folder, "data"), log });
  const queues = await provisionEngine(aws.clients);
  const [site] = await readSites({ sitesFile });
  if (site === undefined) throw new Error("the sites file declares no site");
  const sites: EngineConfig["sites"] = [];
  for (const environment of environments) {
    const { revalidationQueue } = await provisionSite(aws.clients, site, environment, variables, true);
    const host = `${environment}.example.com`;
    sites.push({
      site: site.name,
      environment,
      host,
      url: `https://${host}`,
      checkPath: site.checkPath,
      variables: site.variables,
      architecture: site.architecture,
      valuesReadableBy: ["local"],
      originKeys: [],
      sizes: {},
      streaming: site.streaming,
      functions: site.functions,
      distribution: "E0EXAMPLE",
      edgeTable: aws.endpoint.keyValueStores.create("edge"),
      skewHours: site.skewHours,
      keep: site.keep,
      revalidationQueueUrl: revalidationQueue.url,
      buildTimeoutMinutes: site.buildTimeoutMinutes,
      github: [],
    });
  }
  const token = "a-token-of-this-test";
  const config: EngineConfig = {
    ...localNames,
    sites,
    loopbackWebhooks: true,
    tokens: { local: createHash("sha256").update(token).digest("hex") },
  };
  const made: Clients[] = [];
  const engineOf = (name: string): Engine => {
    const clients = awsClients(clientOptions(aws.endpoint));
    made.push(clients);
    prepare(name, clients);
    return engine(config, clients, systemClock, (line) => log(JSON.stringify({ name, ...line })));
  };
  let running: { close(): Promise<void> }[] = [];
  const served = await serveApi(createApi(apiPorts(engineOf(apiFunction.name))), { port: 0 });
  const stop = async (): Promise<void> => {
    for (const one of running.splice(0)) await one.close();
  };
  return {
    aws,
    engineOf,
    folder,
    lines,
    api: apiClient(served.url, token),
    /** Starts every consumer and timer. */
    start: async (reconcileEveryMs = 2_000): Promise<void> => {
      running = [
        await runSchedules(engineOf, { reconcile: reconcileEveryMs, wake: 2_000 }, aws.lambda.concurrency, log),
        await runConsumers(engineOf, aws, queues, log),
      ];
    },
    /** Stops every consumer and timer; the API and the world go on. */
    stop,
    close: async (): Promise<void> => {
      await served.close();
      await stop();
      for (const clients of made) clients.destroy();
      await aws.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
