import { releaseKey } from "../../../blueprint/edge-table.ts";
import { hasEnded } from "../../../domain/deployment/decider.ts";
import type { Release } from "../../../domain/deployment/shapes.ts";
import { isPlan, rollbackPlan } from "../../../domain/environment/rollback-plan.ts";
import type { Recorded } from "../../../domain/kernel/event.ts";
import { deploymentOf, deploymentStream } from "../../../domain/kernel/identity.ts";
import { manifestKey, setFolder } from "../../../engine/open-next/manifest.ts";
import type { Cloud } from "../aws/cloud.ts";
import type { Fn } from "../aws/lambda.ts";
import type { Ledger } from "../ledger.ts";
import { belongingsOf, placeAt, placed } from "./belongings.ts";
import { servedAt } from "./served.ts";

/** What the sweeps of a world came to. */
export type Sweeps = { marks: number; claims: number; putOff: number; ended: number; releases: number; things: number };
export const noSweeps = (): Sweeps => ({ marks: 0, claims: 0, putOff: 0, ended: 0, releases: 0, things: 0 });

/** Events that a sweep makes itself: after them there is nothing more to sweep. */
export const isOfSweep = (type: string): boolean =>
  ["ReleasesMarked", "SweepBegan", "SweepPutOff", "SweepEnded", "MarkDropped", "ReleaseSwept"].includes(type);

type Going = readonly { readonly deploymentId: string }[];
type Body = {
  readonly deploymentId: string;
  readonly sequence: number;
  readonly mark: number;
  readonly release: Release;
  readonly releases: Going & number;
  readonly left?: string;
};
type Thing = { readonly kind: string; readonly name: string };

export type SweepWatch = ReturnType<typeof sweepsOf>;

/** Invariants of sweeps: nothing goes that anything needs, that was not named before, or that goes live afterwards. */
export const sweepsOf = (ledger: Ledger, cloudOf: () => Cloud) => {
  const counts = noSweeps();
  /** deployments that went live in each environment, the one that did so last at the end */
  const went = new Map<string, string[]>();
  /** `<function>:<version>` */
  const sweptVersions = new Set<string>();
  /** what each environment's last sweep could not take */
  const left = new Map<string, string | undefined>();
  const lists = new Map<string, readonly Thing[]>();
  const belongings = belongingsOf(ledger, cloudOf);
  const { learn, manifestOf, owns } = belongings;

  /** Why the log says that a release is needed, by deployment: told without the engine's own rules of what it keeps. */
  const neededIn = (stream: string): ReadonlyMap<string, string> => {
    const { state } = ledger.placeOf(stream);
    const why = new Map<string, string>();
    const last = (went.get(stream) ?? []).slice(-(cloudOf().world.keep?.releases ?? 10));
    for (const id of last) why.set(id, "is among the last that were live");
    for (const [of, course] of ledger.courses)
      if (placed(course.state.request) === stream && !hasEnded(course.state)) why.set(deploymentOf(of), "has not ended");
    if (state.pinnedRelease !== null) why.set(state.pinnedRelease, "is pinned");
    for (const id of state.kept) why.set(id, "is kept by name");
    for (const { deploymentId, ended } of state.routes.values()) if (ended === null) why.set(deploymentId, "is reached by visitors");
    for (const { deploymentId } of state.aliases.values()) why.set(deploymentId, "has an alias that was moved to it");
    if (state.waiting !== null) why.set(state.waiting.deploymentId, "waits to go live");
    for (const { deploymentId } of state.open.values()) why.set(deploymentId, "is going live");
    if (state.live !== null) why.set(state.live.deploymentId, "is live");
    return why;
  };

  /** What is about to be taken away. @param name as a list names it, or the key of an object */
  const gone = (stream: string, kind: string, name: string): void => {
    const { world } = cloudOf();
    counts.things += 1;
    const { sweep } = ledger.placeOf(stream).state;
    if (sweep === null || sweep.until === null) world.violate(`${kind} ${name} goes, and ${stream} has claimed nothing`);
    else if (!listed(sweep.list).some((one) => covers(one, kind, name)))
      world.violate(`${kind} ${name} goes, and is not on the list of mark ${sweep.mark} of ${stream}`);
    for (const [id, why] of [...servedAt(cloudOf(), stream), ...neededIn(stream)])
      if (owns(id, kind, name)) world.violate(`${kind} ${name} goes, and ${id} has it, which ${why}`);
  };

  const listed = (key: string): readonly Thing[] => {
    const known = lists.get(key);
    if (known !== undefined) return known;
    const text = cloudOf().objects.read("artifacts", key) ?? '{"things":[],"others":[]}';
    const { things, others } = JSON.parse(text) as { things: Thing[]; others: Thing[] };
    lists.set(key, [...things, ...others]);
    return lists.get(key) ?? [];
  };

  const wentLive = ({ stream, body }: { stream: string; body: Body }): void => {
    const { world, objects, lambda } = cloudOf();
    const { deploymentId, release } = body;
    went.set(stream, [...(went.get(stream) ?? []).filter((id) => id !== deploymentId), deploymentId]);
    const says = `${stream}: ${deploymentId} goes live with ${body.sequence},`;
    for (const { name, version } of release.functions)
      if (sweptVersions.has(`${name}:${version}`) && lambda.functions.get(name)?.versions.get(version)?.deleted !== false)
        world.violate(`${says} and version ${version} of ${name} was swept`);
    const place = placeAt(stream);
    const manifest = manifestOf(place, deploymentId);
    if (manifest === undefined || objects.read("static", manifestKey(place.releases, deploymentId)) === undefined) {
      world.violate(`${says} and its manifest is gone`);
      return;
    }
    const files = [
      ...(manifest.versioned ?? []).map((path) => `${place.assets}/${path}`),
      ...manifest.publicFiles.map(({ path }) => `${setFolder(place.assets, manifest.set)}/${path}`),
    ];
    const missing = files.find((key) => objects.read("static", key) === undefined);
    if (missing !== undefined) world.violate(`${says} and its file ${missing} is gone`);
  };

  const began = ({ stream, body, at }: { stream: string; body: Body; at: string }): void => {
    const { world } = cloudOf();
    const { state } = ledger.placeOf(stream);
    const { sweep } = state;
    if (sweep === null) {
      world.violate(`${stream} claims ${body.mark}, and nothing is marked`);
      return;
    }
    const marked = new Set(sweep.releases.map(({ deploymentId }) => deploymentId));
    for (const { deploymentId } of body.releases)
      if (!marked.has(deploymentId)) world.violate(`${stream} claims ${deploymentId}, which was not marked`);
    // whether it is time was asked of a clock that may have jumped since
    if (sweep.until === null && at < sweep.after && world.faults.counts["clock-jump"] === 0)
      world.violate(`${stream} claims mark ${body.mark}, which may be swept from ${sweep.after} on`);
    // what was claimed once stays claimed: nobody can choose it any more
    if (sweep.until !== null) return;
    const needed = new Map([...servedAt(cloudOf(), stream), ...neededIn(stream)]);
    const plan = rollbackPlan(state);
    for (const { deploymentId } of body.releases) {
      if (needed.has(deploymentId)) world.violate(`${stream} claims ${deploymentId}, which ${needed.get(deploymentId)}`);
      if (isPlan(plan) && plan.to.deploymentId === deploymentId)
        world.violate(`${stream} claims ${deploymentId}, and a rollback goes there`);
    }
  };

  /** Nobody goes back to what was swept. */
  const flips = ({ stream, body: { deploymentId, sequence } }: { stream: string; body: Body }): void => {
    const { sweep } = ledger.placeOf(stream).state;
    const isClaimed = sweep !== null && sweep.until !== null && sweep.releases.some((one) => one.deploymentId === deploymentId);
    if (isClaimed || ledger.courseOf(deploymentStream(deploymentId)).state.swept)
      cloudOf().world.violate(`${stream}: flip ${sequence} goes to ${deploymentId}, which ${isClaimed ? "is being" : "was"} swept`);
  };

  return {
    counts,
    left,
    neededIn,
    belongings,
    /** Takes in an event that does not count yet. */
    look: (event: Recorded): void => {
      const { stream, at } = event;
      const body = event.body as Body;
      learn(event);
      if (event.type === "ReleasesMarked") counts.marks += 1;
      if (event.type === "SweepPutOff") counts.putOff += 1;
      if (event.type === "FlipRequested") flips({ stream, body });
      if (event.type === "ReleaseWentLive") wentLive({ stream, body });
      if (event.type === "SweepBegan") {
        counts.claims += 1;
        began({ stream, body, at });
      }
      if (event.type === "SweepEnded") {
        counts.ended += 1;
        counts.releases += body.releases;
        left.set(stream, body.left);
      }
    },
    versionDeleted: (fn: Fn, version: string): void => {
      gone(placeOfFunction(fn.name), "version", `${fn.name}:${version}`);
      sweptVersions.add(`${fn.name}:${version}`);
    },
    addressDeleted: (fn: Fn, alias: string): void => {
      if (isSweep(cloudOf())) gone(placeOfFunction(fn.name), "address", `${fn.name}:${alias}`);
    },
    objectRemoved: (bucket: string, key: string): void => {
      const [site = "", environment = ""] = bucket === "static" ? key.split("/") : key.split("/").slice(1);
      gone(`environment/${site}/${environment}`, bucket === "static" ? "object" : "artifact", key);
    },
    rowDeleted: (key: string): void => {
      if (isSweep(cloudOf())) gone(placeOfRow(key), "row", key);
    },
  };
};

const isSweep = ({ world }: Cloud): boolean => world.acting()?.name === "sweep";
/** `shiplog-web-production-server` */
const placeOfFunction = (name: string): string => `environment/${name.split("-").slice(1, 3).join("/")}`;
/** `release:Ewebproduction:dep_…` */
const placeOfRow = (key: string): string => placeAt(key.split(":")[1] ?? "").stream;

/** Whether what a list names is that, or has it. */
const covers = (thing: Thing, kind: string, name: string): boolean => {
  if (kind === "object") return ["pages", "files", "manifest"].includes(thing.kind) && (thing.name === name || isBelow(thing.name, name));
  if (thing.kind !== kind) return false;
  if (kind !== "row") return thing.name === name;
  const [of, distribution = "", set = ""] = name.split(":");
  if (of === "files") return thing.name.startsWith(`files:${set}:`);
  return thing.name.startsWith("release:") && name === releaseKey(distribution, thing.name.slice("release:".length));
};
const isBelow = (folder: string, name: string): boolean => folder.endsWith("/") && name.startsWith(folder);
