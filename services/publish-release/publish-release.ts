import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import type { Artifact, PublishedFunction, Release } from "../../domain/deployment/shapes.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import { AddressTaken } from "../../engine/aws/addresses.ts";
import type { SiteSecrets } from "../../engine/aws/secrets.ts";
import { type Ports as AddressPorts, makeAddresses } from "../../engine/edge/addresses.ts";
import { hasRows, type Ports as RowsPorts, writeRows } from "../../engine/edge/public-rows.ts";
import { type Delivery, NotYet } from "../../engine/kit/consumer.ts";
import { each } from "../../engine/kit/each.ts";
import { type Aggregates, type Executed, following } from "../../engine/log/execute.ts";
import { basePathFault } from "../../engine/open-next/asset-paths.ts";
import type { AssetsOutcome, Report, TagSeed } from "../../engine/open-next/assets.ts";
import { misfitOf } from "../../engine/open-next/fit.ts";
import type { Inspected, Output, Package } from "../../engine/open-next/inspect.ts";
import { OutputRefused } from "../../engine/open-next/output.ts";
import { claimLeft } from "../../engine/sweep/claim.ts";
import { ArchiveRefused } from "../../engine/zip/archive.ts";
import { type Ports as CheckPorts, checkRelease } from "./check-release.ts";
import { PublishRefused } from "./publish-function.ts";

export type Ports = CheckPorts &
  AddressPorts &
  RowsPorts & {
    readonly aggregates: Aggregates;
    /** the declared environment; `undefined` where it is not declared (any more) */
    site(site: string, environment: string): SiteConfig | undefined;
    /** unpacks the artifact into a folder of its own and looks at it, and takes the folder away afterwards */
    withBuild<T>(artifact: Artifact, use: (output: Output) => Promise<T>): Promise<T>;
    inspect(output: Output, releaseId: string, architecture: SiteConfig["architecture"]): Promise<Inspected>;
    uploadAssets(
      site: SiteConfig,
      build: Inspected,
      ids: { deploymentId: string; releaseId: string; live?: string | undefined },
      report: Report,
    ): Promise<AssetsOutcome>;
    tagSeeds(build: Inspected): Promise<readonly TagSeed[]>;
    seedTags(site: SiteConfig, seeds: readonly TagSeed[]): Promise<void>;
    /** the values of its environment, of which every function of the release gets the same */
    secrets(site: SiteConfig): Promise<SiteSecrets>;
    /** packs, uploads and publishes one function of the release. @param set that of its public files */
    publish(site: SiteConfig, build: Inspected, code: Package, secrets: SiteSecrets, set: string): Promise<PublishedFunction>;
    progress(deploymentId: string): Report;
  };

const ACTOR = "shiplog publish-release";

/** What is published, where, and the commands that its steps give. */
type Work = {
  readonly deploymentId: string;
  readonly releaseId: string;
  /** the number of its release's address: with which it was admitted */
  readonly address: number;
  readonly site: SiteConfig;
  /** Answers whether it was ended meanwhile, so that what follows would be for nobody. */
  tell(command: DeploymentCommand, suffix: string): Promise<boolean>;
};

/** Makes a finished build a release: files first, then versions, then their checks. Nothing of it is live yet. */
export const publishRelease =
  (ports: Ports) =>
  async (event: Recorded<Subscribed<"publish-release">>, { givesUp }: Delivery): Promise<void> => {
    const { aggregates } = ports;
    const deploymentId = deploymentOf(event.stream);
    const { releaseId, artifact } = event.body;
    const tell = async (command: DeploymentCommand, suffix: string): Promise<boolean> =>
      ended(await aggregates.deployment.execute(deploymentId, command, following(event, ACTOR, suffix)));
    const fail = async (reason: string): Promise<void> => {
      await tell({ type: "FailDeployment", step: "publish", reason: reason.slice(0, 2_000) }, "/failed");
    };
    const { state } = await aggregates.deployment.load(deploymentId);
    if (state.request === null || (state.status !== "built" && state.status !== "deploying") || state.checked) return;

    const site = ports.site(state.request.site, state.request.environment);
    if (site === undefined) return fail(`${state.request.site}/${state.request.environment} is not declared any more`);
    const work: Work = { deploymentId, releaseId, address: state.sequence, site, tell };
    await waitForSweep(ports, work);
    if (await isHistory(ports, work, state.sequence)) return;
    try {
      await ports.withBuild(artifact, (output) => publish(ports, work, output));
    } catch (error) {
      if (error instanceof OutputRefused || error instanceof PublishRefused || error instanceof AddressTaken) return fail(error.message);
      if (error instanceof ArchiveRefused) return fail(`the build's artifact is refused: ${error.message}`);
      if (givesUp(error))
        await fail(`gave up: ${error instanceof Error ? error.message : String(error)}; retry it, nothing is built again`);
      throw error;
    }
  };

/**
 * What lies there already is taken for a release's own: not while somebody takes things away. That is over in seconds, as a rule. Who meets
 * a claim that is not comes again when it is over: each time is one of few tries.
 */
const waitForSweep = async ({ aggregates, clock, now }: Ports, { site: { site, environment } }: Work): Promise<void> => {
  for (let looks = 1; ; looks++) {
    const { state: env } = await aggregates.environment.load(site, environment);
    const leftMs = claimLeft(env, now());
    if (leftMs === 0) return;
    if (looks === SWEEP_LOOKS)
      throw new NotYet(`old releases of ${site}/${environment} are being swept`, Math.max(Math.ceil(leftMs / 1_000), 2));
    await clock.sleep(SWEEP_LOOK_MS);
  }
};
const SWEEP_LOOKS = 15;
const SWEEP_LOOK_MS = 2_000;

/** A newer release is live or on its way: this one would only be published to be superseded. */
const isHistory = async ({ aggregates }: Ports, { site: { site, environment }, tell }: Work, sequence: number): Promise<boolean> => {
  const { state: env } = await aggregates.environment.load(site, environment);
  if (env.chosen <= sequence) return false;
  await tell({ type: "SupersedeDeployment", by: { sequence: env.chosen }, onlyQueued: false }, "/superseded");
  return true;
};

const publish = async (ports: Ports, work: Work, output: Output): Promise<void> => {
  const { deploymentId, releaseId, address, site, tell } = work;
  const build = await ports.inspect(output, releaseId, site.architecture);
  const misfit = misfitOf(site, build.packages);
  if (misfit !== undefined) throw new OutputRefused(`the build does not fit the site: ${misfit}`);
  const unserved = basePathFault(site.basePath, build.paths, build.packages);
  if (unserved !== undefined) throw new OutputRefused(unserved);
  const seeds = await ports.tagSeeds(build);
  const warnings = build.warnings.length > 0 ? { warnings: [...build.warnings] } : {};
  if (await tell({ type: "StartRelease", releaseId, ...warnings }, "/release")) return;

  const assets = await publishFiles(ports, work, build, seeds);
  if (assets === undefined) return;
  const { files } = assets;
  const functions = await publishVersions(ports, work, build, files.set);
  if (functions === undefined) return;
  await makeAddresses(ports, { address, deploymentId, functions });
  if (!(await hasRows(ports, site, files))) await writeRows(ports, site, assets);

  const { manifest } = assets.recorded;
  const { checks, faults } = await checkRelease(ports, site, build, functions, releaseId);
  if (faults.length > 0) {
    await tell({ type: "RecordChecksFailed", checks, reason: faults.join("; ").slice(0, 2_000) }, "/checks");
    return;
  }
  const { base } = build.paths;
  const release: Release = { id: releaseId, functions: [...functions], manifest, ...(base !== "" && { basePath: base }), address, files };
  await tell({ type: "RecordChecksPassed", release, checks }, "/checks");
};

/** `undefined` where the deployment was ended meanwhile. */
const publishFiles = async (ports: Ports, work: Work, build: Inspected, seeds: readonly TagSeed[]): Promise<AssetsOutcome | undefined> => {
  const { deploymentId, releaseId, site, tell } = work;
  const { deployment, environment } = ports.aggregates;
  const { state } = await deployment.load(deploymentId);
  const { live, everLive } = (await environment.load(site.site, site.environment)).state;
  const before = live === null ? undefined : everLive.get(live.deploymentId)?.release.manifest;
  const assets = await ports.uploadAssets(site, build, { deploymentId, releaseId, live: before }, ports.progress(deploymentId));
  if (state.assets) return assets;
  await ports.seedTags(site, seeds);
  return (await tell({ type: "RecordAssets", ...assets.recorded, tags: seeds.length }, "/assets")) ? undefined : assets;
};

/**
 * The versions of its functions. Two at once may have published some with other settings: those that were recorded first are the
 * release's, since its address never moves. `undefined` where the deployment was ended meanwhile.
 */
const publishVersions = async (
  ports: Ports,
  work: Work,
  build: Inspected,
  set: string,
): Promise<readonly PublishedFunction[] | undefined> => {
  const { deploymentId, site, tell } = work;
  const recorded = async () => (await ports.aggregates.deployment.load(deploymentId)).state.functions;
  const before = await recorded();
  if (before !== null) return before;
  const secrets = await ports.secrets(site);
  const functions = await publishFunctions(ports, work, build, secrets, set);
  const { fingerprints: variables } = secrets;
  if (await tell({ type: "RecordVersions", functions, ...(variables && { variables }) }, "/versions")) return undefined;
  return (await recorded()) ?? functions;
};

/** Functions that are published at once: each has its packed code on disk until Lambda has taken it. */
const FUNCTIONS = 3;

const publishFunctions = async (
  ports: Ports,
  { deploymentId, site }: Work,
  build: Inspected,
  secrets: SiteSecrets,
  set: string,
): Promise<PublishedFunction[]> => {
  const report = ports.progress(deploymentId);
  const functions: PublishedFunction[] = [];
  await each([...build.packages.entries()], FUNCTIONS, async ([index, code]) => {
    const published = await ports.publish(site, build, code, secrets, set);
    const { streaming, patterns } = code;
    functions[index] = { ...published, ...(streaming && { streaming }), ...(patterns && { patterns: [...patterns] }) };
    report("versions", functions.filter(Boolean).length, build.packages.length);
  });
  return functions;
};

/** It was cancelled or failed meanwhile: what follows would be for nobody. */
const ended = ({ refusal }: Executed<unknown>): boolean => refusal !== undefined;
