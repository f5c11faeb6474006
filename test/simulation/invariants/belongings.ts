import { filesKey, releaseKey } from "../../../blueprint/edge-table.ts";
import { siteResources } from "../../../blueprint/site-resources.ts";
import type { Recorded } from "../../../domain/kernel/event.ts";
import { deploymentOf, deploymentStream, environmentStream } from "../../../domain/kernel/identity.ts";
import { aliasOf } from "../../../engine/edge/addresses.ts";
import { type Manifest, manifestKey, setFolder, setOf } from "../../../engine/open-next/manifest.ts";
import type { Cloud } from "../aws/cloud.ts";
import { config } from "../engine/config.ts";
import type { Ledger } from "../ledger.ts";

const places = config.sites.map(({ site, environment, distribution }) => ({
  ...siteResources(site, environment),
  stream: environmentStream(site, environment),
  distribution: distribution ?? "",
}));
type Place = (typeof places)[number];

/** @param of the stream of an environment, or its distribution */
export const placeAt = (of: string): Place => {
  const place = places.find(({ stream, distribution }) => stream === of || distribution === of);
  if (place === undefined) throw new Error(`the simulation has no ${of}`);
  return place;
};

/** The stream of the environment that a deployment is of. */
export const placed = (request: { readonly site: string; readonly environment: string } | null): string | undefined =>
  request === null ? undefined : environmentStream(request.site, request.environment);

type Known = Manifest & { readonly set: string };
type Body = {
  readonly artifact?: { readonly key: string };
  readonly request?: { readonly reuse?: { readonly artifact: { readonly key: string } } };
};

/** What each deployment's release has, by the log and by its manifest. */
export const belongingsOf = (ledger: Ledger, cloudOf: () => Cloud) => {
  const manifests = new Map<string, Known>();
  const artifacts = new Map<string, string>();

  /** As it was when it was read first; `undefined` where none was ever seen. */
  const manifestOf = ({ releases }: Place, id: string): Known | undefined => {
    const known = manifests.get(id);
    if (known !== undefined) return known;
    const text = cloudOf().objects.read("static", manifestKey(releases, id));
    if (text === undefined) return undefined;
    const manifest = JSON.parse(text) as Manifest;
    manifests.set(id, { ...manifest, set: setOf(manifest.publicFiles) });
    return manifests.get(id);
  };

  /** @param kind of a thing as lists name it, or `object` @param name as lists name it, or the key of a row or of an object */
  const owns = (id: string, kind: string, name: string): boolean => {
    const { state } = ledger.courseOf(deploymentStream(id));
    const stream = placed(state.request);
    if (stream === undefined) return false;
    const place = placeAt(stream);
    const functions = state.functions ?? [];
    const release = state.releaseId ?? id;
    const manifest = manifestOf(place, id);
    switch (kind) {
      case "version":
        return functions.some(({ name: fn, version }) => name === `${fn}:${version}`);
      case "address":
        return functions.some(({ name: fn }) => name === `${fn}:${aliasOf(state.sequence)}`);
      case "artifact":
        return artifacts.get(id) === name;
      case "row":
        if (name === releaseKey(place.distribution, release)) return true;
        return manifest !== undefined && name.startsWith(filesKey(place.distribution, manifest.set, 0).slice(0, -1));
      default: {
        const folders = [`${place.cache}/${release}/`, `${place.cache}/__fetch/${release}/`];
        if (manifest !== undefined) folders.push(`${setFolder(place.assets, manifest.set)}/`);
        if (name === manifestKey(place.releases, id) || folders.some((folder) => name.startsWith(folder))) return true;
        return manifest?.versioned?.some((path) => name === `${place.assets}/${path}`) === true;
      }
    }
  };

  return {
    manifestOf,
    owns,
    functionsOf: (id: string) => ledger.courseOf(deploymentStream(id)).state.functions ?? [],
    artifacts: artifacts as ReadonlyMap<string, string>,
    learn: ({ type, stream, body }: Recorded): void => {
      const { artifact, request } = body as Body;
      if (type === "BuildSucceeded" && artifact !== undefined) artifacts.set(deploymentOf(stream), artifact.key);
      if (type === "DeploymentQueued" && request?.reuse !== undefined) artifacts.set(deploymentOf(stream), request.reuse.artifact.key);
    },
  };
};
