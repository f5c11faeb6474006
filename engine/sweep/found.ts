import { readKnown } from "../../domain/aggregates.ts";
import { isReached, type PublishedFunction } from "../../domain/deployment/shapes.ts";
import type { Candidate } from "../../domain/environment/verdict.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { DeploymentId, deploymentStream } from "../../domain/kernel/identity.ts";
import { isEnd } from "../../domain/projections/views.ts";
import type { Objects } from "../aws/objects.ts";
import { aliasOf } from "../edge/addresses.ts";
import { each } from "../kit/each.ts";
import { type Manifest, manifestIn, manifestKey } from "../open-next/manifest.ts";
import { foldRow } from "../views/read-models.ts";
import type { Place } from "./place.ts";

/** A deployment that left something, and what the log says of it. */
export type Found = Candidate & {
  readonly sequence: number;
  /** its versions; empty where none were published */
  readonly functions: readonly PublishedFunction[];
  /** what its build left, by its key; also where another deployment's build was taken over */
  readonly artifact: string | undefined;
};

export type Ports = {
  readonly objects: Pick<Objects, "list" | "getText" | "folders">;
  /** the events of a stream, in order */
  events(stream: string): Promise<readonly Recorded[]>;
};

/** Requests at a time. */
const WIDTH = 16;

/** What the log says of a deployment; `undefined` where it has none of that id in this environment. */
export const deploymentIn = async ({ events }: Pick<Ports, "events">, place: Place, deploymentId: string): Promise<Found | undefined> => {
  const history = await events(deploymentStream(deploymentId));
  const view = foldRow("deployments", undefined, history);
  if (view === undefined || view.site !== place.site || view.environment !== place.environment) return undefined;
  const published = readKnown("deployment", history).find(({ type }) => type === "VersionsPublished");
  return {
    deploymentId,
    release: view.releaseId ?? deploymentId,
    sequence: view.sequence,
    hasEnded: isEnd(view.status),
    madeAt: view.queuedAt,
    wasLive: view.status === "success",
    isSwept: view.swept !== null,
    functions: published?.type === "VersionsPublished" ? published.body.functions : [],
    artifact: view.artifact?.key,
  };
};

/** What lies in an environment's folders, by the log. */
export type Inventory = {
  /** every deployment that has a manifest: it is written before anything else but the files of a release, and goes last */
  readonly found: readonly Found[];
  /** ids of manifests that no deployment in the log has: of another log, or of a moment that this one was set back before */
  readonly strangers: readonly string[];
};

export const inventoryOf = async (ports: Ports, place: Place): Promise<Inventory> => {
  const keys = await ports.objects.list(place.bucket, `${place.releases}/`);
  const ids = keys.flatMap((key) => DeploymentId.safeParse(key.slice(place.releases.length + 1).replace(/\.json$/, "")).data ?? []);
  const found: Found[] = [];
  const strangers: string[] = [];
  await each(ids, WIDTH, async (id) => {
    const one = await deploymentIn(ports, place, id);
    if (one === undefined) strangers.push(id);
    else found.push(one);
  });
  return { found: found.sort((a, b) => a.sequence - b.sequence), strangers: strangers.sort() };
};

/** Manifests by their deployments; one that a newer engine wrote, or that is gone meanwhile, is `undefined`. */
export const manifestsOf = async (
  { objects }: Pick<Ports, "objects">,
  place: Place,
  deployments: readonly string[],
): Promise<ReadonlyMap<string, Manifest | undefined>> => {
  const manifests = new Map<string, Manifest | undefined>();
  await each(deployments, WIDTH, async (deploymentId) => {
    const text = await objects.getText(place.bucket, manifestKey(place.releases, deploymentId));
    manifests.set(deploymentId, text === undefined ? undefined : manifestIn(text));
  });
  return manifests;
};

/** The address of a release: its alias on each function that visitors reach. */
export const addressesOf = ({ functions, sequence }: Found): { readonly name: string; readonly alias: string }[] =>
  functions.filter(isReached).map(({ name }) => ({ name, alias: aliasOf(sequence) }));
