import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { zipDirectory } from "../../engine/zip/archive.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { realSizeOutputs } from "./real-size-output.ts";
import { inFolder } from "./room.ts";

export const SITE = "bench";

export type Build = { readonly id: string; readonly artifact: { bucket: string; key: string } };
export type DevelopmentRoom = {
  readonly development: Development;
  /** A finished build of real size, with content of its own and what `add` puts into its folder, as CodeBuild leaves it in the bucket. */
  build(add?: (output: string) => Promise<void>): Promise<Build>;
  /** Gives a finished build to the engine as a deployment that need not build: its stream begins with BuildSucceeded. */
  request(environment: string, build: Build): Promise<void>;
  deployment(id: string): Promise<(DeploymentEvent & Recorded)[]>;
  environment(name: string): Promise<(EnvironmentEvent & Recorded)[]>;
  /** Resolves with the first event of the stream for which it is true, within a minute or as many as are said. */
  until<E extends Recorded>(read: () => Promise<readonly E[]>, is: (event: E) => boolean, minutes?: number): Promise<E>;
};

/** The whole engine as `shiplog dev` runs it, with one site and these environments. */
export const withDevelopment = <T>(
  environments: readonly string[],
  use: (room: DevelopmentRoom) => Promise<T>,
  { tableDelayMs = 0 } = {},
): Promise<T> =>
  inFolder(async (folder) => {
    await mkdir(join(folder, "app"));
    await writeFile(join(folder, "app/package.json"), "{}\n");
    const sitesFile = join(folder, "sites.json");
    const site = { name: SITE, source: "app", environments: environments.map((name) => ({ name })) };
    await writeFile(sitesFile, JSON.stringify({ sites: [site] }));
    const faults: string[] = [];
    const log = (line: string): void => void (/^(warn|error) /.test(line) && faults.push(line));
    // the reconciler looks now and then by design; here its looks would fall on some rounds and not on others
    const development = await startDevelopment({
      tableDelayMs,
      dataDir: join(folder, "data"),
      sitesFile,
      variables: {},
      reconcileEveryMs: 3_600_000,
      log,
    });
    try {
      return await use(roomOf(development, folder, await realSizeOutputs(folder)));
    } finally {
      await development.close();
      for (const fault of faults.slice(0, 5)) console.error(`  ${fault}`);
    }
  });

const roomOf = (development: Development, folder: string, writeOutput: (id: string, target: string) => Promise<void>): DevelopmentRoom => {
  const { aggregates, objects, config, events } = development.engine;
  return {
    development,
    build: async (add = async () => undefined) => {
      const id = `dep_${ulid()}`;
      const zip = join(folder, "output.zip");
      await writeOutput(id, join(folder, "output"));
      await add(join(folder, "output"));
      const { sha256Hex } = await zipDirectory(join(folder, "output"), zip);
      const artifact = { bucket: config.buckets.artifacts, key: `builds/${id}/output.zip` };
      await objects.put(artifact.bucket, artifact.key, zip, sha256Hex);
      return { id, artifact };
    },
    request: async (environment, { id, artifact }) => {
      const reuse = { from: id, buildId: `shiplog-${SITE}:${id}`, releaseId: id, artifact };
      const request = { deploymentId: id, site: SITE, environment, source: null, reuse, trigger: "api", requestedBy: "bench" } as const;
      const asked = { actor: "bench", at: new Date().toISOString() };
      const because = { cause: `bench/${id}`, correlation: `bench/${id}`, actor: "bench" };
      await aggregates.environment.execute(SITE, environment, { type: "AdmitDeployment", request, ...asked }, because);
    },
    deployment: async (id) => (await events(deploymentStream(id))) as (DeploymentEvent & Recorded)[],
    environment: async (name) => (await events(environmentStream(SITE, name))) as (EnvironmentEvent & Recorded)[],
    until: async (read, is, minutes = 1) => {
      for (const end = Date.now() + minutes * 60_000; Date.now() < end; ) {
        const found = (await read()).find(is);
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error("what was waited for did not happen in time");
    },
  };
};
