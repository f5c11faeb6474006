import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { behaviorsOf } from "../blueprint/edge-behaviors.ts";
import type { EngineConfig, SiteConfig } from "../blueprint/engine-config.ts";
import { functionName } from "../blueprint/engine-functions.ts";
import { githubTokens } from "../blueprint/github.ts";
import { SitesRefused } from "../blueprint/sites-file.ts";
import { MAX_CLOCK_SKEW_MS, positionAt } from "../domain/kernel/position.ts";
import { each } from "../engine/kit/each.ts";
import { behindLog } from "../engine/log/behind-log.ts";
import { type Engine, engine, systemClock } from "../engine/wiring/engine.ts";
import { createWeb } from "../services/api/web.ts";
import { apiPorts } from "../services/api/wiring.ts";
import { type AccountLimits, USUAL_ACCOUNT } from "./account-limits.ts";
import { serveApi } from "./api-server.ts";
import { type BuildLimits, type LocalAws, startAws } from "./aws.ts";
import { runConsumers, runSchedules } from "./consumers.ts";
import { readDocument } from "./damaged.ts";
import type { Edge } from "./edge/edge.ts";
import { anyFreePort, freePort } from "./free-port.ts";
import { takeOver } from "./one-at-a-time.ts";
import { openOriginKeys } from "./origin-keys.ts";
import { localNames, provisionEngine } from "./provision/engine-resources.ts";
import { provisionSite } from "./provision/site-resources.ts";
import { replaceFile } from "./replace-file.ts";
import { startSiteEdge } from "./site-edge.ts";
import { runMappings } from "./site-mappings.ts";
import { type LocalSite, type LocalSites, readSitesFile } from "./sites.ts";

/** What the tokens of an engine on this machine are called: the one that may do everything, and the one that may look. */
const LOCAL_TOKEN = "local";
const LOCAL_READ_TOKEN = "local-read";
/** A minute is the shortest on AWS, where every run costs. */
const WAKE_EVERY_MS = 5_000;
/** On AWS it is seconds, over the whole world. */
const TABLE_DELAY_MS = 1_000;
const EDGE_TABLE = "shiplog-edge";

export type DevelopmentOptions = {
  /** everything is kept here; made where it is missing */
  readonly dataDir: string;
  readonly sitesFile?: string;
  /** one app as the only site, without a sites file */
  readonly appDir?: string;
  /** of the API; default the one that it had before, or any free one */
  readonly port?: number;
  /** values of the sites' variables; default this process's environment */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** values that go before those, of each environment or (`web/production`) of one, which goes before each */
  readonly envFiles?: readonly { readonly place: string | null; readonly values: Readonly<Record<string, string>> }[];
  /** between two runs of the reconciler; default 10 s */
  readonly reconcileEveryMs?: number;
  readonly codeBuild?: BuildLimits;
  /** what the local AWS lets its account do; default a usual one */
  readonly account?: AccountLimits;
  /** webhooks may go to this machine, also by http; default no */
  readonly allowLoopbackWebhooks?: boolean;
  /** how long ago the rows are from that points of presence see; milliseconds, default a second */
  readonly tableDelayMs?: number;
  log(line: string): void;
};

export type Development = {
  readonly apiUrl: string;
  readonly token: string;
  /** may look, and change nothing */
  readonly readToken: string;
  readonly sites: readonly { readonly site: string; readonly environment: string; readonly url: string }[];
  /** the world below, for who wants to look into it or trouble it */
  readonly aws: LocalAws;
  readonly engine: Engine;
  close(): Promise<void>;
};

/** What must be the same after a restart, besides what AWS keeps. */
const Remembered = z.object({
  token: z.string().min(1),
  /** an engine of before it had one is given it */
  readToken: z.string().min(1).optional(),
  ports: z.record(z.string(), z.number().int().min(0).max(65_535)),
});
type Remembered = z.infer<typeof Remembered>;
const FORGET = "Delete it: the engine then takes a new token and new ports, and nothing else is lost";

/**
 * The whole engine on this machine: the local AWS, the resources of the engine and its sites, the consumers, the API and
 * an edge for each environment. Started again on the same folder, everything is as it was.
 */
export const startDevelopment = async (options: DevelopmentOptions): Promise<Development> => {
  const { dataDir, log, reconcileEveryMs = 10_000 } = options;
  const declared = await readSitesFile(options);
  const { sites } = declared;
  const given = givenValues(options, sites);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const giveBack = await takeOver(dataDir);
  await keepApart(dataDir);
  const closers: (() => Promise<unknown>)[] = [giveBack];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const memory = remember(dataDir);
    const originKeysOf = openOriginKeys(dataDir);
    const aws = await startAws({
      dataDir,
      port: await freePort(memory.ports.aws),
      codeBuild: options.codeBuild ?? {},
      account: options.account ?? USUAL_ACCOUNT,
      log,
    });
    closers.push(aws.close);
    memory.ports.aws = aws.endpoint.port;

    const queues = await provisionEngine(aws.clients);
    const configs: SiteConfig[] = [];
    const table = aws.endpoint.keyValueStores.create(EDGE_TABLE);
    const edges: { site: string; environment: string; edge: Edge }[] = [];
    for (const { site, environment, originKeys: numbers, queueUrl, without, unused } of await provisioned(aws.clients, sites, given)) {
      const place = `${site.name}/${environment}`;
      if (without.length > 0)
        log(
          `${place}: no value for ${without.join(", ")}: builds and functions find it empty. Set it with \`shiplog env set\`, in the environment of \`shiplog dev\` or by --env-file.`,
        );
      if (unused.length > 0)
        log(
          `${place}: ${unused.join(", ")}: the value that \`shiplog env\` set stays, and the one of this start is not used. Remove it with \`shiplog env rm\` first to use that.`,
        );
      const originKeys = originKeysOf(place, numbers);
      const distribution = distributionOf(site.name, environment);
      const edge = await startSiteEdge(aws, {
        site: site.name,
        environment,
        distribution,
        behaviors: behaviorsOf(site),
        port: await freePort(memory.ports[place]),
        originKeys,
        table,
        tableDelayMs: options.tableDelayMs ?? TABLE_DELAY_MS,
      });
      closers.push(edge.close);
      memory.ports[place] = edge.port;
      edges.push({ site: site.name, environment, edge });
      configs.push({ ...siteConfig(site, environment, edge, queueUrl), distribution, edgeTable: table, originKeys });
    }

    const port = await apiPort(options.port ?? (await freePort(memory.ports.api)), declared);
    const config: EngineConfig = {
      ...localNames,
      sites: configs,
      github: githubTokens(declared, `http://127.0.0.1:${port}`),
      loopbackWebhooks: options.allowLoopbackWebhooks ?? false,
      tokens: {
        [LOCAL_TOKEN]: digestOf(memory.token),
        [LOCAL_READ_TOKEN]: { sha256: digestOf(memory.readToken), scope: "read" },
      },
    };
    const engineOf = (name: string): Engine =>
      engine(config, aws.clients, systemClock, ({ level, message, ...more }) => {
        // what is ordinary would hide what is not
        if (level !== "info") log(`${name} ${level} ${message} ${JSON.stringify(more)}`);
      });
    const made = engineOf("api");
    const last = await made.eventLog.lastAfter(positionAt(systemClock.now() + MAX_CLOCK_SKEW_MS));
    if (last !== undefined) log(`Clock: ${behindLog(last, systemClock.now())}.`);
    const mappings = await runMappings(aws, log);
    closers.push(mappings.close);
    const consumers = await runConsumers(engineOf, aws, queues, log);
    closers.push(consumers.close);
    const schedules = await runSchedules(engineOf, { reconcile: reconcileEveryMs, wake: WAKE_EVERY_MS }, aws.lambda.concurrency, log);
    closers.push(schedules.close);
    const api = await serveApi(createWeb(apiPorts(made, { canStream: true })), {
      port,
      invocations: aws.lambda.concurrency.of(functionName("api")),
    });
    closers.push(api.close);
    memory.ports.api = Number(new URL(api.url).port);

    writePrivate(join(dataDir, "memory.json"), memory);
    const connection = join(dataDir, "connection.json");
    writePrivate(connection, {
      url: api.url,
      token: memory.token,
      readToken: memory.readToken,
      endpoint: aws.endpoint.url,
      credentials: aws.endpoint.credentials,
      sites: sites.map(({ name, folder, build }) => ({ site: name, folder, ownBuild: build !== undefined })),
    });
    closers.push(() => rm(connection, { force: true }));
    const urls = edges.map(({ site, environment, edge }) => ({ site, environment, url: edge.url }));
    return { apiUrl: api.url, token: memory.token, readToken: memory.readToken, sites: urls, aws, engine: made, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Tokens of GitHub Actions are for an address: where they are taken, it is known before the API listens there. */
const apiPort = async (wanted: number, declared: LocalSites): Promise<number> =>
  wanted === 0 && githubTokens(declared, "") !== undefined ? anyFreePort() : wanted;

type Provisioned = {
  readonly site: LocalSite;
  readonly environment: string;
  readonly originKeys: readonly number[];
  /** of pages to make again */
  readonly queueUrl: string;
  /** variables that have no value */
  readonly without: readonly string[];
  /** variables of which another value was set by `shiplog env` than this start gives */
  readonly unused: readonly string[];
};

/** Environments that are made at a time: most of each is waiting for functions to become active. */
const ENVIRONMENTS = 8;

/** Makes what every environment has, where it is not there; in the order of the sites file. */
const provisioned = async (
  clients: LocalAws["clients"],
  sites: readonly LocalSite[],
  given: (site: LocalSite, environment: string) => Record<string, string>,
): Promise<Provisioned[]> => {
  const places = sites.flatMap((site) => site.environments.map(({ name, originKeys }) => ({ site, environment: name, originKeys })));
  const made: Provisioned[] = [];
  await each([...places.entries()], ENVIRONMENTS, async ([index, place]) => {
    const { site, environment } = place;
    const ownBuildspec = existsSync(join(site.folder, "buildspec.yml"));
    const { revalidationQueue, ...values } = await provisionSite(clients, site, environment, given(site, environment), ownBuildspec);
    made[index] = { ...place, queueUrl: revalidationQueue.url, ...values };
  });
  return made;
};

/** git and the source of a deployment leave the data folder out, whatever its name is: it holds the token and secrets. */
const keepApart = async (dataDir: string): Promise<void> => {
  if (existsSync(join(dataDir, "package.json"))) return; // an app's own folder is no data folder, and git shall see its files
  await writeFile(join(dataDir, ".gitignore"), "*\n", { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
};

const distributionOf = (site: string, environment: string): string =>
  `E${createHash("sha256").update(`${site}/${environment}`).digest("hex").slice(0, 13).toUpperCase()}`;

const siteConfig = (
  site: LocalSite,
  environment: string,
  edge: Edge,
  revalidationQueueUrl: string,
): Omit<SiteConfig, "originKeys" | "distribution" | "edgeTable"> => ({
  site: site.name,
  environment,
  host: new URL(edge.url).host,
  url: edge.url,
  checkPath: site.checkPath,
  variables: site.variables,
  // whoever has this engine's token can read its files, too
  valuesReadableBy: [LOCAL_TOKEN],
  architecture: site.architecture,
  streaming: site.streaming,
  functions: site.functions,
  sizes: site.sizes,
  skewHours: site.skewHours,
  keep: site.keep,
  revalidationQueueUrl,
  buildTimeoutMinutes: site.buildTimeoutMinutes,
  github: site.environments.find(({ name }) => name === environment)?.github ?? [],
});

/** The values that a start gives to the declared variables of an environment. @throws SitesRefused where a file is for one that is not declared */
const givenValues = ({ variables = process.env, envFiles = [] }: DevelopmentOptions, sites: readonly LocalSite[]) => {
  const places = sites.flatMap(({ name, environments }) => environments.map((environment) => `${name}/${environment.name}`));
  const unknown = envFiles.find(({ place }) => place !== null && !places.includes(place));
  if (unknown !== undefined)
    throw new SitesRefused(`--env-file is for ${unknown.place}, which is not declared: known are ${places.join(", ")}`);
  return (site: LocalSite, environment: string): Record<string, string> => {
    const of = (place: string | null) => envFiles.filter((file) => file.place === place).map(({ values }) => values);
    const all: Readonly<Record<string, string | undefined>> = Object.assign(
      {},
      variables,
      ...of(null),
      ...of(`${site.name}/${environment}`),
    );
    return Object.fromEntries(
      site.variables.flatMap((name) => {
        const value = Object.hasOwn(all, name) ? all[name] : undefined;
        return value === undefined ? [] : [[name, value]];
      }),
    );
  };
};

const digestOf = (token: string): string => createHash("sha256").update(token).digest("hex");

const remember = (dataDir: string): Remembered & { readToken: string } => {
  const kept = readDocument(join(dataDir, "memory.json"), (value) => Remembered.safeParse(value).success, FORGET);
  const token = (): string => randomBytes(24).toString("base64url");
  const memory = (kept as Remembered | undefined) ?? { token: token(), ports: {} };
  return { ...memory, readToken: memory.readToken ?? token() };
};

/** Readable by its owner alone: it holds the token. */
const writePrivate = (file: string, value: unknown): void => replaceFile(file, `${JSON.stringify(value)}\n`, 0o600);
