import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { Check } from "../../domain/deployment/events.ts";
import type { PublishedFunction, Release } from "../../domain/deployment/shapes.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentOf } from "../../domain/kernel/identity.ts";
import type { Delivery } from "../../engine/kit/consumer.ts";
import { type Aggregates, type Executed, following } from "../../engine/log/execute.ts";
import type { AssetsOutcome, Report, TagSeed } from "../../engine/open-next/assets.ts";
import type { Inspected, Package } from "../../engine/open-next/inspect.ts";
import { OutputRefused } from "../../engine/open-next/output.ts";
import { probeVersion } from "../../engine/open-next/probe.ts";
import { ArchiveRefused } from "../../engine/zip/archive.ts";
import { PublishRefused } from "./publish-function.ts";

export type Ports = {
  readonly aggregates: Aggregates;
  /** the declared environment; `undefined` where it is not declared (any more) */
  site(site: string, environment: string): SiteConfig | undefined;
  /** unpacks the artifact into a folder of its own and looks at it, and takes the folder away afterwards */
  withBuild<T>(artifact: { bucket: string; key: string }, use: (root: string) => Promise<T>): Promise<T>;
  inspect(root: string, releaseId: string, architecture: SiteConfig["architecture"]): Promise<Inspected>;
  uploadAssets(
    site: SiteConfig,
    build: Inspected,
    ids: { deploymentId: string; releaseId: string },
    report: Report,
  ): Promise<AssetsOutcome>;
  tagSeeds(build: Inspected): Promise<readonly TagSeed[]>;
  seedTags(site: SiteConfig, seeds: readonly TagSeed[]): Promise<void>;
  /** packs, uploads and publishes one function of the release */
  publish(site: SiteConfig, code: Package): Promise<PublishedFunction>;
  invoke(name: string, version: string, payload: unknown): Promise<{ version: string; failed: string | null; payload: string }>;
  progress(deploymentId: string): Report;
  now(): number;
};

const ACTOR = "shiplog publish-release";

/** Makes a finished build a release: files first, then versions, then their checks. Nothing of it is live yet. */
export const publishRelease =
  (ports: Ports) =>
  async (event: Recorded<Subscribed<"publish-release">>, { givesUp }: Delivery): Promise<void> => {
    const { aggregates } = ports;
    const deploymentId = deploymentOf(event.stream);
    const { releaseId, artifact } = event.body;
    const because = (suffix: string) => following(event, ACTOR, suffix);
    const { state } = await aggregates.deployment.load(deploymentId);
    if (state.request === null || (state.status !== "built" && state.status !== "deploying") || state.checked) return;

    const site = ports.site(state.request.site, state.request.environment);
    if (site === undefined) return fail(`${state.request.site}/${state.request.environment} is not declared any more`);
    if (await isHistory(site)) return;
    try {
      await ports.withBuild(artifact, (root) => publish(site, root));
    } catch (error) {
      if (error instanceof OutputRefused || error instanceof PublishRefused) return fail(error.message);
      if (error instanceof ArchiveRefused) return fail(`the build's artifact is refused: ${error.message}`);
      if (givesUp(error))
        await fail(`gave up: ${error instanceof Error ? error.message : String(error)}; retry it, nothing is built again`);
      throw error;
    }

    /** A newer release is live or on its way: this one would only be published to be superseded. */
    async function isHistory({ site: name, environment }: SiteConfig): Promise<boolean> {
      const { state: env } = await aggregates.environment.load(name, environment);
      if (env.chosen <= state.sequence) return false;
      await aggregates.deployment.execute(
        deploymentId,
        { type: "SupersedeDeployment", by: { sequence: env.chosen }, onlyQueued: false },
        because("/superseded"),
      );
      return true;
    }

    async function publish(site: SiteConfig, root: string): Promise<void> {
      const build = await ports.inspect(root, releaseId, site.architecture);
      const seeds = await ports.tagSeeds(build);
      const warnings = build.warnings.length > 0 ? { warnings: [...build.warnings] } : {};
      if (ended(await aggregates.deployment.execute(deploymentId, { type: "StartRelease", releaseId, ...warnings }, because("/release"))))
        return;

      const known = await aggregates.deployment.load(deploymentId);
      const assets = await ports.uploadAssets(site, build, { deploymentId, releaseId }, ports.progress(deploymentId));
      if (!known.state.assets) {
        await ports.seedTags(site, seeds);
        if (
          ended(
            await aggregates.deployment.execute(deploymentId, { type: "RecordAssets", ...assets, tags: seeds.length }, because("/assets")),
          )
        )
          return;
      }

      const report = ports.progress(deploymentId);
      let done = 0;
      const functions = await Promise.all(
        build.packages.map(async (code) => {
          const published = await ports.publish(site, code);
          report("versions", ++done, build.packages.length);
          return published;
        }),
      );
      if (ended(await aggregates.deployment.execute(deploymentId, { type: "RecordVersions", functions }, because("/versions")))) return;

      const { checks, faults } = await check(site, functions);
      if (faults.length > 0) {
        await aggregates.deployment.execute(
          deploymentId,
          { type: "RecordChecksFailed", checks, reason: faults.join("; ").slice(0, 2_000) },
          because("/checks"),
        );
        return;
      }
      const release: Release = { id: releaseId, functions, manifest: assets.manifest };
      await aggregates.deployment.execute(deploymentId, { type: "RecordChecksPassed", release, checks }, because("/checks"));
    }

    async function check(site: SiteConfig, functions: readonly PublishedFunction[]): Promise<{ checks: Check[]; faults: string[] }> {
      const faults: string[] = [];
      const checks = await Promise.all(
        functions.map(async (published): Promise<Check> => {
          const { role, name, version } = published;
          const began = ports.now();
          const { path, status, fault } = await probeVersion(ports.invoke, published, site, began);
          if (fault !== undefined) faults.push(`${name}:${version} did not pass its check${path ? ` (GET ${path})` : ""}: ${fault}`);
          return { role, function: name, version, ms: ports.now() - began, ...(path && { path }), ...(status && { status }) };
        }),
      );
      return { checks, faults };
    }

    async function fail(reason: string): Promise<void> {
      await aggregates.deployment.execute(
        deploymentId,
        { type: "FailDeployment", step: "publish", reason: reason.slice(0, 2_000) },
        because("/failed"),
      );
    }
  };

/** It was cancelled or failed meanwhile: what follows would be for nobody. */
const ended = ({ refusal }: Executed<unknown>): boolean => refusal !== undefined;
