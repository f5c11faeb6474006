import type { z } from "zod";
import type { Site } from "../blueprint/sites.ts";
import type { ManyVariables } from "../client/contract.ts";
import type { Api } from "./api.ts";
import { type FoundLayout, layoutOf, managerOf } from "./app-layout.ts";
import { checkSource, type SourceSize } from "./check-source.ts";
import { checkVersions, type Versions } from "./check-versions.ts";
import { checkEdgeRoutes } from "./edge-routes.ts";
import type { Environment } from "./environment.ts";
import { environmentName } from "./environment.ts";
import { CliError } from "./failure.ts";
import { errorAt, type Finding, unchecked, warningAt } from "./finding.ts";
import { readManifest } from "./manifest.ts";
import { checkNextConfig } from "./next-config.ts";
import {
  imageCpuIn,
  modeMisfit,
  type OpenNextConfig,
  readOpenNextConfig,
  splitFunctionsOf,
  splitMisfit,
  unsupportedIn,
} from "./open-next-config.ts";

/** What an app is, and what is wrong with it, as `check` tells it and as `deploy` holds to it. */
export type Examined = FoundLayout & { readonly versions: Versions; readonly config: OpenNextConfig; readonly source?: SourceSize };

/** A variable as the API shows it. */
export type Variable = z.infer<typeof ManyVariables>["variables"][number];

export type About = {
  /** the app says itself how it is built: it is packed alone, and what it installs is its own affair */
  readonly ownBuild: boolean;
  /** as a sites file declares it */
  readonly site: Site | undefined;
};

/** Looks at an app's folder and asks nobody. */
export async function examineApp(app: string, { ownBuild, site }: About): Promise<Examined> {
  const found: FoundLayout = ownBuild ? { layout: { root: app }, findings: [] } : layoutOf(app);
  const { root } = found.layout;
  const config = await readOpenNextConfig(app);
  const manifests = [await readManifest(app), ...(root === app ? [] : [await readManifest(root)])] as const;
  const { versions, findings } = checkVersions(found, manifests, managerOf(root));
  const { source, findings: ofSource } = await checkSource(found, { variables: site?.variables, ownBuild });
  const split = site !== undefined && Object.keys(site.functions).length > 0 ? site : undefined;
  const ofBuild = ownBuild ? ownBuildFindings(config, site) : [...unsupportedIn(config), ...(await checkNextConfig(app, split?.basePath))];
  return {
    ...found,
    versions,
    config,
    ...(source && { source }),
    findings: [
      ...found.findings,
      ...findings,
      ...ofBuild,
      ...(site === undefined || ownBuild ? [] : modeMisfit(config, site)),
      ...(await checkEdgeRoutes(app)),
      ...ofSource,
    ],
  };
}

/** What an environment was made for, held against the app; without an engine, what its site declares. */
export function environmentFindings({ config }: Examined, { ownBuild, site }: About, environment: Environment | undefined): Finding[] {
  if (ownBuild) return [];
  if (environment?.functions !== undefined) {
    const made = { who: `${environmentName(environment)} was made`, site: environment.site };
    return splitMisfit(config, made, splitFunctionsOf({ ...environment, functions: environment.functions }));
  }
  if (site === undefined) return [];
  return splitMisfit(config, { who: `the site ${site.name} is declared`, site: site.name }, Object.keys(site.functions));
}

/** The variables of an environment, or why they could not be asked for. */
export type KnownVariables = { readonly variables: readonly Variable[] } | { readonly why: string };

/**
 * An engine of an earlier release does not tell, and runs of GitHub Actions are told nothing of variables.
 * @param late ends the asking
 */
export const variablesOf = (api: Api, { site, environment }: Environment, late?: AbortSignal): Promise<KnownVariables> =>
  api.variables(site, environment).then(
    ({ variables }) => ({ variables }),
    (error: unknown) => {
      if (late?.aborted) return { why: "the engine did not answer in time" };
      if (!(error instanceof CliError) || error.code === "interrupted") throw error;
      return { why: firstSentence(error.message) };
    },
  );

/** What a build of the environment would wait for; without what the engine knows, that nobody looked, and why. */
export function variableFindings({ site }: About, place: string, known: KnownVariables): Finding[] {
  if ("why" in known)
    return site === undefined || site.variables.length === 0
      ? []
      : [unchecked("variables.unknown", `Whether ${place} has values for ${site.variables.join(", ")} was not checked: ${known.why}.`)];
  return known.variables
    .filter(({ declared, value }) => declared && value !== "set")
    .map(({ name, value }) =>
      value === "none"
        ? errorAt("variables.missing", `${place} has no value for ${name}, and no build begins without one.`, setting(place, name))
        : warningAt("variables.empty", `The value of ${name} in ${place} is empty: the build takes it as it is.`, setting(place, name)),
    );
}
/** Without its dot. */
const firstSentence = (text: string): string => (text.split(/(?<=[.])\s/)[0] ?? "").replace(/[.]$/, "");

const setting = (place: string, name: string): string => {
  const [site, environment] = place.split("/");
  return `shiplog env set ${name} --site ${site} --env ${environment}`;
};

/** The default build puts right what the image function lacks; a buildspec.yml of the app's own does not. */
function ownBuildFindings(config: OpenNextConfig, site: Site | undefined): Finding[] {
  const cpu = imageCpuIn(config);
  const wanted = site?.architecture === "x86_64" ? "x64" : "arm64";
  if (site === undefined || site.build !== undefined || cpu === undefined || cpu === wanted) return [];
  return [
    warningAt(
      "open-next.sharp",
      `${config.file} installs sharp for ${cpu}, and the site "${site.name}" runs on ${site.architecture} (on AWS).`,
      `Set imageOptimization.install.arch to "${wanted}", or "architecture" of the site in shiplog.sites.json.`,
    ),
  ];
}
