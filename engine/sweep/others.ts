import { PUBLIC_SETS } from "../../blueprint/edge-table.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Candidate, Verdict } from "../../domain/environment/verdict.ts";
import type { FunctionState } from "../aws/functions.ts";
import type { Objects } from "../aws/objects.ts";
import { aliasOf } from "../edge/addresses.ts";
import type { Manifest } from "../open-next/manifest.ts";
import { deploymentIn, type Ports as FoundPorts, type Inventory } from "./found.ts";
import type { Place } from "./place.ts";
import { namedBy, type Thing } from "./things.ts";

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

/** Whether a deployment's release stays or goes. */
type Judge = (one: Candidate) => Verdict;

export type Others = {
  readonly things: readonly Thing[];
  /** bytes of every version and of every file that there is, by `<function>:<version>` and by key */
  readonly sizes: ReadonlyMap<string, number>;
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
  { judge, state }: { readonly judge: Judge; readonly state: Addressed },
): Promise<Others> => {
  const sizes = new Map<string, number>();
  const addresses = await strayAddresses(ports, place, found, state);
  const versions = await strayVersions(ports, place, found, sizes);
  const files = await strayFiles(ports, place, namedBy(manifests.values()), sizes);
  const pages = await strayPages(ports, place, new Set(found.map(({ release }) => release)), judge);
  return { things: [...addresses, ...versions, ...pages, ...files], sizes };
};

type Addressed = Pick<Environment, "routes" | "edge" | "open">;

/**
 * What a flip made and nobody was sent to: an address is taken away with its release, or once nobody is sent to it; one of a flip that
 * died has neither. Its number is the flip's own.
 */
const strayAddresses = async (
  ports: Ports,
  place: Place,
  found: Inventory["found"],
  { routes, edge, open }: Addressed,
): Promise<Thing[]> => {
  const numbers = [
    ...found.map(({ sequence }) => sequence),
    ...[...routes.values()].map(({ route }) => route.address),
    ...(edge === null ? [] : [edge.route.address]),
    ...open.keys(),
  ];
  const known = new Set(numbers.map(aliasOf));
  const strays: Thing[] = [];
  for (const name of place.functions)
    for (const alias of await ports.aliases(name))
      if (/^r-\d+$/.test(alias) && !known.has(alias)) strays.push({ kind: "address", name: `${name}:${alias}`, of: null });
  return strays.slice(0, MOST_NAMED);
};

const strayVersions = async (ports: Ports, place: Place, found: Inventory["found"], sizes: Map<string, number>): Promise<Thing[]> => {
  const known = new Set(found.flatMap(({ functions }) => functions.map(({ name, version }) => `${name}:${version}`)));
  const names = new Set([...place.functions, ...found.flatMap(({ functions }) => functions.map(({ name }) => name))]);
  const strays: Thing[] = [];
  for (const name of names)
    for (const { version, bytes } of await ports.versions(name)) {
      sizes.set(`${name}:${version}`, bytes);
      if (version !== PLACEHOLDER && !known.has(`${name}:${version}`))
        strays.push({ kind: "version", name: `${name}:${version}`, of: null });
    }
  return strays.slice(0, MOST_NAMED);
};

/** @param named `undefined` where some release is of an engine that did not list its files: then nobody knows whose they are */
const strayFiles = async (
  { objects }: Ports,
  { bucket, assets }: Place,
  named: ReadonlySet<string> | undefined,
  sizes: Map<string, number>,
): Promise<Thing[]> => {
  const strays: Thing[] = [];
  for await (const page of objects.pages(bucket, `${assets}/`))
    for (const { key, bytes } of page) {
      const path = key.slice(assets.length + 1);
      if (path.startsWith(`${PUBLIC_SETS}/`)) continue;
      sizes.set(key, bytes);
      if (named !== undefined && !named.has(path) && strays.length < MOST_FILES) strays.push({ kind: "files", name: key, of: null });
    }
  return strays;
};

const strayPages = async (ports: Ports, place: Place, releases: ReadonlySet<string>, judge: Judge): Promise<Thing[]> => {
  const { bucket, cache } = place;
  const own = (await ports.objects.folders(bucket, `${cache}/`)).filter((name) => name !== "__fetch");
  const fetched = await ports.objects.folders(bucket, `${cache}/__fetch/`);
  const strays: Thing[] = [];
  for (const id of [...new Set([...own, ...fetched])].filter((one) => !releases.has(one)).slice(0, MOST_NAMED)) {
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
