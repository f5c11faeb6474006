import { PUBLIC_SETS } from "../../blueprint/edge-table.ts";
import { sayGoes, sayStays, saySwept } from "../../domain/environment/keep.ts";
import { isRemoved } from "../../domain/environment/remembered.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { MAX_MARKED } from "../../domain/environment/sweep.ts";
import { counted } from "../../domain/kernel/counted.ts";
import { type DeploymentView, type EnvironmentView, isEnd } from "../../domain/projections/views.ts";
import { GRACE_MS } from "../edge/grace.ts";
import { contentKey, type Manifest, manifestKey, pagesIdOf, setFolder, setOf } from "../open-next/manifest.ts";
import { addressesOf, type Found } from "./found.ts";
import type { Place } from "./place.ts";
import type { Judged, Plan } from "./plan.ts";
import type { Kind } from "./things.ts";

/** Why one thing stays, or goes. `of`: the deployments that need it; where none does, those that it is of. */
export type Explained = {
  readonly thing: string;
  readonly stays: boolean;
  /** `gone`: it was taken away, or never was; `unknown`: nothing here has that name */
  readonly is: "there" | "gone" | "unknown";
  readonly because: string;
  readonly of: readonly string[];
};

/** What an explanation is made of. Nothing is looked at besides. */
export type Seen = {
  readonly place: Place;
  readonly plan: Plan;
  readonly manifests: ReadonlyMap<string, Manifest | undefined>;
  readonly state: Environment;
  readonly environment: Told;
  /** the deployment that is asked for, where it is one, also of another environment or of which nothing is left */
  readonly deployment?: DeploymentView | undefined;
};

/** What readers see of an environment, as far as it says more than a rule does. */
export type Told = Pick<EnvironmentView, "routes" | "kept">;

/** A thing, and whose it is. `names`: what the plan calls it, or folders in which it lies. */
type Claim = {
  readonly owners: readonly Judged[];
  readonly kinds: readonly Kind[];
  readonly names: readonly string[];
  /** releases that may have it too: nobody knows which files they have */
  readonly unlisted?: readonly Judged[];
  /** it is there, whoever it is of */
  readonly isThere?: boolean;
};

/**
 * Why a thing stays or goes: a deployment's id, `<function>:<version>`, `<function>:r-<n>`, `r-<n>`, a path as visitors ask for it,
 * a key in the bucket of files, or the id of a set of public files.
 */
export const explain = (seen: Seen, thing: string): Explained => {
  const { deployment } = seen;
  if (deployment !== undefined) return { thing, ...explainDeployment(seen, deployment) };
  const address = /(?:^|:)r-(\d+)$/.exec(thing)?.[1];
  if (address !== undefined && isTakenAway(seen, Number(address)))
    return { thing, ...gone("this address was taken away: the time of its release was over", []) };
  if (/:1$/.test(thing) && seen.plan.sizes.has(thing) && !isOwned(seen, thing))
    return { thing, ...stays("it is the code before the first release: the infrastructure made it", []) };
  return { thing, ...sayClaim(seen, claimOf(seen, thing)) };
};

type Said = Omit<Explained, "thing">;
const stays = (because: string, of: readonly string[]): Said => ({ stays: true, is: "there", because, of });
const goes = (because: string, of: readonly string[]): Said => ({ stays: false, is: "there", because, of });
const gone = (because: string, of: readonly string[]): Said => ({ stays: false, is: "gone", because, of });
const unknown = (because: string): Said => ({ stays: false, is: "unknown", because, of: [] });

const explainDeployment = (seen: Seen, view: DeploymentView): Said => {
  const { place, plan } = seen;
  if (view.site !== place.site || view.environment !== place.environment)
    return unknown(`it is of ${view.site}/${view.environment}: ask there`);
  const found = plan.judged.find(({ one }) => one.deploymentId === view.id);
  if (found !== undefined) return sayClaim(seen, { owners: [found], kinds: ["manifest"], names: [manifestKey(place.releases, view.id)] });
  if (view.swept !== null) return gone(`it ${saySwept(view.swept)}`, [view.id]);
  if (plan.lost.includes(view.id))
    return stays(`its manifest is gone, and nothing is swept here until it is there again or needed no more`, [view.id]);
  return isEnd(view.status) ? gone("nothing of it was published", [view.id]) : stays("its deployment has not ended", [view.id]);
};

const routedAt = ({ state }: Seen, address: number): string | undefined =>
  [...state.routes.values()].find(({ route }) => route.address === address)?.deploymentId;
const isTakenAway = (seen: Seen, address: number): boolean => isRemoved(seen.state, address) && routedAt(seen, address) === undefined;

/** Whose address it is: a release that went live again may have that of its rollback, and else has that of its deployment. */
const ownersOfAddress = (seen: Seen, address: number): Judged[] => {
  const routed = routedAt(seen, address);
  return seen.plan.judged.filter(({ one }) => (routed === undefined ? one.sequence === address : one.deploymentId === routed));
};

const isOwned = ({ plan }: Seen, version: string): boolean => plan.judged.some(({ one }) => versionsOf(one).includes(version));
const versionsOf = ({ functions }: Found): string[] => functions.map(({ name, version }) => `${name}:${version}`);
const aliasesOf = (one: Found): string[] => addressesOf(one).map(({ name, alias }) => `${name}:${alias}`);

const claimOf = (seen: Seen, thing: string): Claim => {
  const { plan } = seen;
  const owned = (has: (one: Found) => boolean): Judged[] => plan.judged.filter(({ one }) => has(one));
  if (thing.startsWith("/")) return claimOfPath(seen, pathOf(thing));
  if (thing.includes("/")) return claimOfKey(seen, thing);
  const [, name, address] = /^(?:([^:]+):)?r-(\d+)$/.exec(thing) ?? [];
  if (address !== undefined) {
    const has = ({ one }: Judged): boolean => addressesOf(one).some((reached) => name === undefined || reached.name === name);
    const owners = ownersOfAddress(seen, Number(address)).filter(has);
    return { owners, kinds: ["address"], names: owners.flatMap(({ one }) => aliasesOf(one)) };
  }
  if (thing.includes(":"))
    return { owners: owned((one) => versionsOf(one).includes(thing)), kinds: ["version"], names: [thing], isThere: plan.sizes.has(thing) };
  return claimOfSet(seen, thing);
};

/** The path of an address, as files are named by it. */
const pathOf = (asked: string): string => {
  const path = asked.replace(/[?#].*$/, "").slice(1);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/** A file that has a name of its own in each version, else one of the app's `public/`. */
const claimOfPath = (seen: Seen, path: string): Claim => {
  const versioned = claimOfFile(seen, path);
  if (versioned.owners.length > 0 || versioned.isThere) return versioned;
  const has = ({ publicFiles }: Manifest): boolean => publicFiles.some((file) => file.path === path);
  const owners = ownersBy(seen, has);
  const sets = owners.flatMap(({ one }) => setsOf(seen, one));
  return { owners, kinds: ["files"], names: [...new Set(sets)].map((set) => `${setFolder(seen.place.assets, set)}/`), ...unread(seen) };
};

const claimOfFile = (seen: Seen, path: string): Claim => {
  const key = `${seen.place.assets}/${path}`;
  const owners = ownersBy(seen, ({ versioned = [] }) => versioned.includes(path));
  const unlisted = staying(seen).filter(({ one }) => seen.manifests.get(one.deploymentId)?.versioned === undefined);
  return { owners, kinds: ["files"], names: [key], unlisted, isThere: seen.plan.sizes.has(key) };
};

const claimOfSet = (seen: Seen, set: string): Claim => ({
  owners: ownersBy(seen, ({ publicFiles }) => setOf(publicFiles) === set),
  kinds: ["files"],
  names: [`${setFolder(seen.place.assets, set)}/`],
  ...unread(seen),
});

/** A key in the bucket of files, by the folder in which it lies. */
const claimOfKey = (seen: Seen, key: string): Claim => {
  const { place, plan } = seen;
  const below = (folder: string): string | undefined => (key.startsWith(`${folder}/`) ? key.slice(folder.length + 1) : undefined);
  const set = below(`${place.assets}/${PUBLIC_SETS}`)?.split("/")[0];
  if (set !== undefined) return claimOfSet(seen, set);
  const file = below(place.assets);
  if (file !== undefined) return claimOfFile(seen, file);
  const [release] = (below(`${place.cache}/__fetch`) ?? below(place.cache))?.split("/") ?? [];
  if (release !== undefined) {
    const owners = plan.judged.filter(({ one }) => pagesIdOf(seen.manifests.get(one.deploymentId), one.release) === release);
    return { owners, kinds: ["pages"], names: [key] };
  }
  const deployment = below(place.releases)?.replace(/\.json$/, "");
  if (deployment !== undefined)
    return { owners: plan.judged.filter(({ one }) => one.deploymentId === deployment), kinds: ["manifest"], names: [key] };
  const content = ({ v, publicFiles }: Manifest): boolean =>
    v === 1 && publicFiles.some(({ sha256 }) => contentKey(place.publicFiles, sha256) === key);
  return { owners: ownersBy(seen, content), kinds: ["files"], names: [key], ...unread(seen) };
};

const ownersBy = ({ plan, manifests }: Seen, has: (manifest: Manifest) => boolean): Judged[] =>
  plan.judged.filter(({ one }) => {
    const manifest = manifests.get(one.deploymentId);
    return manifest !== undefined && has(manifest);
  });

const setsOf = ({ manifests }: Seen, { deploymentId }: Found): string[] => {
  const manifest = manifests.get(deploymentId);
  return manifest === undefined ? [] : [setOf(manifest.publicFiles)];
};

const staying = ({ plan }: Seen): Judged[] => {
  const going = new Set(plan.going.map(({ deploymentId }) => deploymentId));
  return plan.judged.filter(({ one }) => !going.has(one.deploymentId));
};

/** Of releases that stay, those whose manifest is gone or of a newer engine. */
const unread = (seen: Seen): Pick<Claim, "unlisted"> => ({
  unlisted: staying(seen).filter(({ one }) => seen.manifests.get(one.deploymentId) === undefined),
});

const sayClaim = (seen: Seen, { owners, kinds, names, unlisted = [], isThere = false }: Claim): Said => {
  const { plan, place } = seen;
  const keeping = owners.filter(({ verdict }) => "stays" in verdict);
  const of = (keeping.length > 0 ? keeping : owners).map(({ one }) => one.deploymentId);
  if (keeping.length > 0)
    return stays(told(keeping.map((judged) => `${nameOf(judged)}: ${sayVerdict(judged, place, seen.environment)}`)), of);
  if (owners.length === 0 && !isThere && !isOther(seen, kinds, names))
    return unknown(`nothing of that name is known in ${place.site}/${place.environment}`);
  const blocked = sayBlocked(plan);
  if (blocked !== undefined) return stays(`nothing is swept here while ${blocked}`, of);
  if (owners.length === 0 && isOther(seen, kinds, names)) return goes("no release has it: it goes once it is marked", of);
  if (unlisted.length > 0)
    return stays(`nobody knows which files these releases have, so it may be theirs: ${told(unlisted.map(nameOf))}`, of);
  if (owners.length === 0) return goes(`no release has it: it goes with a later mark, since one names only so many things`, of);
  return goes(
    told(owners.map((judged) => `${nameOf(judged)}: ${sayVerdict(judged, place, seen.environment)}; ${whenGoes(seen, judged)}`)),
    of,
  );
};

const isOther = ({ plan }: Seen, kinds: readonly Kind[], names: readonly string[]): boolean =>
  plan.others.some(
    (thing) =>
      kinds.includes(thing.kind) && names.some((name) => name === thing.name || (thing.name.endsWith("/") && name.startsWith(thing.name))),
  );

const nameOf = ({ one }: Judged): string => `${one.deploymentId} (#${one.sequence})`;
/** Why it stays or goes, in one sentence without its end; also who keeps it by name, whatever else does. */
export const sayVerdict = ({ one, verdict }: Judged, { keep }: Pick<Place, "keep">, { routes, kept }: Told): string => {
  if ("goes" in verdict) return sayGoes(verdict.goes, keep);
  const own = routes.filter(({ deploymentId, release }) => deploymentId === one.deploymentId || release === one.release);
  const isOver = verdict.stays === "reached" && own.length > 0 && own.every(({ ended }) => ended !== null);
  const named = kept.find(({ deploymentId }) => deploymentId === one.deploymentId);
  const said = isOver ? OVER : sayStays(verdict.stays, keep);
  if (named === undefined) return said;
  return [...(verdict.stays === "kept" ? [] : [said]), `${named.actor} keeps it by name: ${named.reason}`].join("; ");
};
const OVER = `nobody is sent to it any more, and its address is taken away ${counted(GRACE_MS / 60_000, "minute")} after that, once no edge can know it`;

const whenGoes = ({ plan, state: { sweep }, place }: Seen, { one: { deploymentId } }: Judged): string => {
  if (sweep?.releases.some((marked) => marked.deploymentId === deploymentId))
    return sweep.until === null ? `it is marked, and goes from ${sweep.after} on` : "it is being swept";
  if (!plan.going.some((one) => one.deploymentId === deploymentId)) return `it goes with a later mark: one takes ${MAX_MARKED} releases`;
  return `it is not marked yet, and goes no sooner than ${counted(place.keep.wait, "hour")} after it is`;
};

/** Why nothing goes at all, where that is so. */
export const sayBlocked = ({ strangers, lost }: Pick<Plan, "strangers" | "lost">): string | undefined => {
  if (strangers.length > 0) return `there are releases that no deployment in the log has: ${told(strangers)}`;
  return lost.length > 0 ? `the manifests of releases that stay are gone: ${told(lost)}` : undefined;
};

/** Named one by one, as many as somebody reads. */
const told = (all: readonly string[]): string =>
  [...all.slice(0, MAX_TOLD), ...(all.length > MAX_TOLD ? [`and ${all.length - MAX_TOLD} more`] : [])].join("; ");
const MAX_TOLD = 5;
