import { PUBLIC_SETS } from "../../blueprint/edge-table.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Verdict } from "../../domain/environment/verdict.ts";
import { DeploymentId } from "../../domain/kernel/identity.ts";
import type { FunctionState } from "../aws/functions.ts";
import type { Objects } from "../aws/objects.ts";
import { aliasOf } from "../edge/addresses.ts";
import { type Manifest, pagesIdOf, setOf } from "../open-next/manifest.ts";
import { deploymentIn, type Found, type Ports as FoundPorts, type Inventory } from "./found.ts";
import type { Place } from "./place.ts";
import { type InUse, namedBy, type Thing } from "./things.ts";

export type Ports = FoundPorts & {
  readonly objects: Pick<Objects, "pages">;
  /** the names of a function's aliases */
  aliases(name: string): Promise<readonly string[]>;
  /** every version of a function, with its bytes; none where there is no such function */
  versions(name: string): Promise<readonly Pick<FunctionState, "version" | "bytes">[]>;
};

/** The code before the first release: the infrastructure made it. */
const PLACEHOLDER = "1";
/** Of each kind, that one mark names. */
const MOST_NAMED = 30;
const MOST_FILES = 10_000;
/** Pages of a thousand files: who waits for an answer sees the first of them. */
const LEAN_PAGES = 50;

/** Whether a deployment's release stays or goes. */
type Judge = (one: Found) => Verdict;

type Rules = {
  readonly judge: Judge;
  readonly state: Addressed;
  /** numbers of those that visitors are sent to, or may be, whatever the state says */
  readonly addresses: readonly number[];
  readonly inUse: InUse;
  /** bytes of files by their keys, where somebody has looked right before; `undefined`: they are listed */
  readonly files?: ReadonlyMap<string, number> | undefined;
  readonly isLean: boolean;
};

export type Others = {
  readonly things: readonly Thing[];
  /** bytes of everything that there is of versions, addresses and files, by `<function>:<version or alias>` and by key */
  readonly sizes: ReadonlyMap<string, number>;
  /** of files alone */
  readonly files: ReadonlyMap<string, number>;
};

/**
 * What no release has: versions and files of publishers that died or were given up, pages of deployments that never came so far as
 * to have a manifest.
 */
export const othersOf = async (
  ports: Ports,
  place: Place,
  { found }: Inventory,
  manifests: ReadonlyMap<string, Manifest | undefined>,
  { judge, state, addresses: sentTo, inUse, files: seen, isLean }: Rules,
): Promise<Others> => {
  const sizes = new Map<string, number>();
  const addresses = await strayAddresses(ports, place, found, [...numbersOf(state), ...sentTo], sizes);
  const versions = await strayVersions(ports, place, found, sizes);
  const files = seen ?? (await filesIn(ports, place, isLean ? LEAN_PAGES : undefined));
  const pages = inUse.isUnknown === true ? [] : await strayPages(ports, place, pagesOf(found, manifests, inUse), judge);
  for (const [key, bytes] of files) sizes.set(key, bytes);
  return { things: [...addresses, ...versions, ...pages, ...strayFiles(place, namedIn(manifests), files.keys())], sizes, files };
};

type Addressed = Pick<Environment, "routes" | "edge" | "open">;
const numbersOf = ({ routes, edge, open }: Addressed): number[] => [
  ...[...routes.values()].map(({ route }) => route.address),
  ...(edge === null ? [] : [edge.route.address]),
  ...open.keys(),
];

/**
 * What a flip made and nobody was sent to: an address is taken away with its release, or once nobody is sent to it; one of a flip that
 * died has neither. Its number is the flip's own.
 */
const strayAddresses = async (
  ports: Ports,
  place: Place,
  found: Inventory["found"],
  needed: readonly number[],
  sizes: Map<string, number>,
): Promise<Thing[]> => {
  const known = new Set([...found.map(({ sequence }) => sequence), ...needed].map(aliasOf));
  const strays: Thing[] = [];
  for (const name of functionsOf(place, found))
    for (const alias of await ports.aliases(name)) {
      sizes.set(`${name}:${alias}`, 0);
      if (/^r-\d+$/.test(alias) && !known.has(alias)) strays.push({ kind: "address", name: `${name}:${alias}`, of: null });
    }
  return strays.slice(0, MOST_NAMED);
};

/** Also of split functions that are not declared any more. */
const functionsOf = ({ functions }: Place, found: Inventory["found"]): ReadonlySet<string> =>
  new Set([...functions, ...found.flatMap((one) => one.functions.map(({ name }) => name))]);

const strayVersions = async (ports: Ports, place: Place, found: Inventory["found"], sizes: Map<string, number>): Promise<Thing[]> => {
  const known = new Set(found.flatMap(({ functions }) => functions.map(({ name, version }) => `${name}:${version}`)));
  const strays: Thing[] = [];
  for (const name of functionsOf(place, found))
    for (const { version, bytes } of await ports.versions(name)) {
      sizes.set(`${name}:${version}`, bytes);
      if (version !== PLACEHOLDER && !known.has(`${name}:${version}`))
        strays.push({ kind: "version", name: `${name}:${version}`, of: null });
    }
  return strays.slice(0, MOST_NAMED);
};

/** What releases have below the assets; `undefined` where some release is of an engine that did not list its files. */
type Named = { readonly files: ReadonlySet<string> | undefined; readonly sets: ReadonlyMap<string, ReadonlySet<string>> | undefined };

const namedIn = (manifests: ReadonlyMap<string, Manifest | undefined>): Named => {
  const files = namedBy(manifests.values());
  const sets = new Map<string, ReadonlySet<string>>();
  for (const manifest of manifests.values()) {
    if (manifest === undefined) return { files, sets: undefined };
    sets.set(setOf(manifest.publicFiles), new Set(manifest.publicFiles.map(({ path }) => path)));
  }
  return { files, sets };
};

/** Bytes of every file below an environment's assets, by its key. @param pages of a thousand files: no more are looked at */
export const filesIn = async (
  { objects }: Pick<Ports, "objects">,
  { bucket, assets }: Place,
  pages = Number.POSITIVE_INFINITY,
): Promise<Map<string, number>> => {
  const files = new Map<string, number>();
  let seen = 0;
  for await (const page of objects.pages(bucket, `${assets}/`)) {
    for (const { key, bytes } of page) files.set(key, bytes);
    seen += 1;
    if (seen >= pages) break;
  }
  return files;
};

/** Files that no release names; of a set's folder also pictures of builds, which lie in it beside its own files. */
const strayFiles = ({ assets }: Place, { files, sets }: Named, keys: Iterable<string>): Thing[] => {
  if (files === undefined) return [];
  const strays = new Set<string>();
  const inSet = new RegExp(`^${PUBLIC_SETS}/([^/]+)/(.+)$`);
  for (const key of keys) {
    if (strays.size >= MOST_FILES) break;
    const path = key.slice(assets.length + 1);
    const [, set, below] = inSet.exec(path) ?? [];
    if (set === undefined || below === undefined) {
      if (!files.has(path)) strays.add(key);
    } else if (sets !== undefined) {
      const own = sets.get(set);
      if (own === undefined) strays.add(`${assets}/${PUBLIC_SETS}/${set}/`);
      else if (!own.has(below) && !files.has(below)) strays.add(key);
    }
  }
  return [...strays].map((name) => ({ kind: "files", name, of: null }));
};

/**
 * What pages that are needed are named by: a build that came out of a cache may have another deployment's id. `undefined` where of some
 * release nobody knows.
 */
const pagesOf = (
  found: Inventory["found"],
  manifests: ReadonlyMap<string, Manifest | undefined>,
  inUse: InUse,
): ReadonlySet<string> | undefined => {
  const read = found.map(({ deploymentId, release }) => ({ release, manifest: manifests.get(deploymentId) }));
  if (read.some(({ manifest }) => manifest?.runtimeId === undefined)) return undefined;
  return new Set([...read.flatMap(({ release, manifest }) => [release, pagesIdOf(manifest, release)]), ...inUse.releases]);
};

const strayPages = async (ports: Ports, place: Place, needed: ReadonlySet<string> | undefined, judge: Judge): Promise<Thing[]> => {
  if (needed === undefined) return [];
  const { bucket, cache } = place;
  const own = (await ports.objects.folders(bucket, `${cache}/`)).filter((name) => name !== "__fetch");
  const fetched = await ports.objects.folders(bucket, `${cache}/__fetch/`);
  const strays: Thing[] = [];
  const ids = [...new Set([...own, ...fetched])].filter((id) => !needed.has(id) && DeploymentId.safeParse(id).success);
  for (const id of ids) {
    if (strays.length >= MOST_NAMED * 3) break;
    const one = await deploymentIn(ports, place, id);
    // what the log does not know is not taken for its own
    if (one === undefined || !("goes" in judge(one))) continue;
    strays.push(
      { kind: "pages", name: `${cache}/${id}/`, of: null },
      { kind: "pages", name: `${cache}/__fetch/${id}/`, of: null },
      { kind: "tags", name: id, of: null },
    );
  }
  return strays;
};
