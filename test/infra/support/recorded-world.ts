import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { api as apiFunction } from "../../../infra/engine-functions.ts";
import { BUS, EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../../../infra/topology.ts";
import { serveApi } from "../../../local/api-server.ts";
import { CREDENTIALS, startAws } from "../../../local/aws.ts";
import { runConsumers, runSchedules } from "../../../local/consumers.ts";
import { REGION } from "../../../local/http.ts";
import { BUCKETS, provisionEngine } from "../../../local/provision/engine-resources.ts";
import { provisionSite } from "../../../local/provision/site-resources.ts";
import { readSites } from "../../../local/sites.ts";
import { createApi } from "../../../services/api/app.ts";
import { apiPorts } from "../../../services/api/wiring.ts";
import { awsClients, type Clients } from "../../../services/aws/clients.ts";
import type { EngineConfig } from "../../../services/kit/config.ts";
import { type Engine, engine, systemClock } from "../../../services/kit/engine.ts";
import { apiClient } from "../../support/api-client.ts";
import { writeFixtureApp } from "../../support/fixture-app.ts";

/** One call that a function of the engine made of AWS. */
export type Call = { readonly by: string; readonly client: string; readonly command: string; readonly input: Record<string, unknown> };

/**
 * The engine on this machine, with one site `web` and its environment `production`, each function with AWS clients of its
 * own, as on AWS: every call is written down with the function that made it.
 */
export const startRecordedWorld = async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-rights-"));
  const sitesFile = join(folder, "sites.json");
  await writeFixtureApp(join(folder, "app"));
  await writeFile(
    sitesFile,
    JSON.stringify({ sites: [{ name: "web", source: "app", environments: [{ name: "production" }], variables: ["API_URL"] }] }),
  );
  const calls: Call[] = [];
  const aws = await startAws({ dataDir: join(folder, "data"), log: () => undefined });
  const queues = await provisionEngine(aws.clients);
  const [site] = await readSites({ sitesFile });
  if (site === undefined) throw new Error("the sites file declares no site");
  const { revalidationQueue } = await provisionSite(aws.clients, site, "production", { API_URL: "https://api.example.com" }, true);

  const token = "a-token-of-this-test";
  const config: EngineConfig = {
    region: REGION,
    eventsTable: EVENTS_TABLE,
    viewsTable: VIEWS_TABLE,
    bus: BUS,
    buckets: BUCKETS,
    sealKey: SEAL_KEY,
    sites: [
      {
        site: site.name,
        environment: "production",
        host: "www.example.com",
        url: "https://www.example.com",
        checkPath: site.checkPath,
        variables: site.variables,
        architecture: site.architecture,
        distribution: "E0EXAMPLE",
        revalidationQueueUrl: revalidationQueue.url,
        buildTimeoutMinutes: site.buildTimeoutMinutes,
      },
    ],
    loopbackWebhooks: true,
    tokens: { local: createHash("sha256").update(token).digest("hex") },
  };
  const made: Clients[] = [];
  const engineOf = (name: string): Engine => {
    const clients = awsClients({ region: REGION, endpoint: aws.endpoint.url, credentials: CREDENTIALS });
    made.push(clients);
    record(clients, (call) => calls.push({ by: name, ...call }));
    return engine(config, clients, systemClock, () => undefined);
  };
  const consumers = await runConsumers(engineOf, aws, queues, () => undefined);
  const schedules = await runSchedules(engineOf, { reconcile: 2_000 }, () => undefined);
  const served = await serveApi(createApi(apiPorts(engineOf(apiFunction.name))), { port: 0 });
  return {
    aws,
    folder,
    calls,
    queues,
    api: apiClient(served.url, token),
    close: async (): Promise<void> => {
      await served.close();
      await schedules.close();
      await consumers.close();
      for (const clients of made) clients.destroy();
      await aws.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

type Said = Omit<Call, "by">;
type Middleware = (next: (args: { input: object }) => Promise<unknown>, context: { clientName?: string; commandName?: string }) => unknown;

const record = (clients: Clients, say: (call: Said) => void): void => {
  const watch: Middleware =
    (next, { clientName = "", commandName = "" }) =>
    (args: { input: object }) => {
      say({ client: clientName, command: commandName, input: args.input as Record<string, unknown> });
      return next(args);
    };
  for (const client of Object.values(clients))
    if (typeof client === "object")
      (client as { middlewareStack: { add(middleware: Middleware, options: object): void } }).middlewareStack.add(watch, {
        step: "initialize",
        name: "record",
      });
};
