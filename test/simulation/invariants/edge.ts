import { LiveRow, liveKey, type ReleaseRow } from "../../../blueprint/edge-table.ts";
import { environmentStream } from "../../../domain/kernel/identity.ts";
import { addressAt } from "../aws/addresses.ts";
import type { Cloud } from "../aws/cloud.ts";
import { config } from "../engine/config.ts";
import type { Ledger, Place } from "../ledger.ts";
import type { World } from "../world/world.ts";
import type { Aliases } from "./aliases.ts";

export type EdgeWatch = ReturnType<typeof edgeOf>;

/** What the simulation saw of the row of what is live, by distribution. */
type Seen = { highest: number /** somebody changed it by hand since the engine wrote it */; edited: boolean };

export const streams = new Map(
  config.sites.map(({ site, environment, distribution }) => [distribution ?? "", environmentStream(site, environment)] as const),
);
export const parsed = (text: string | undefined): ReleaseRow | undefined => {
  try {
    return text === undefined ? undefined : LiveRow.loose().safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** Invariants of the edge's table: what it says never falls, names only what is there, and comes after the aliases. */
export const edgeOf = (world: World, ledger: Ledger, aliases: Aliases, cloudOf: () => Cloud) => {
  const seen = new Map<string, Seen>();
  /** functions whose addresses a hand has taken something of */
  const handled = new Set<string>();
  const of = (distribution: string): Seen => {
    const found = seen.get(distribution) ?? { highest: 0, edited: false };
    seen.set(distribution, found);
    return found;
  };

  const named = (key: string, row: ReleaseRow): void => {
    const { lambda } = cloudOf();
    const [, distribution = ""] = key.split(":");
    if (seenPlace(ledger, distribution).state.removedAddresses.has(row.address))
      world.violate(`the row ${key} was written with r-${row.address}, which was taken away for good`);
    for (const id of [row.server, row.image]) {
      const found = addressAt(lambda.functions.values(), id);
      if (found === undefined) {
        if (handled.size === 0) world.violate(`the row ${key} names the address ${id}, which leads nowhere`);
      } else if (found.address.permissions.size < 2 && !handled.has(found.fn.name))
        world.violate(`the row ${key} names an address of ${found.fn.name} that nobody may ask`);
    }
  };

  const live = (distribution: string, key: string, row: LiveRow): void => {
    const place = seenPlace(ledger, distribution);
    const before = of(distribution);
    // a replay writes what the log has, also where a flip died after it wrote more and a hand took that away
    if (row.sequence < before.highest && !before.edited)
      world.violate(`the row ${key} went from sequence ${before.highest} to ${row.sequence}`);
    before.highest = row.sequence;
    before.edited = false;
    const flip = place.flips.get(row.sequence);
    if (flip === undefined) {
      world.violate(`the row ${key} was written with sequence ${row.sequence}, which nobody asked for`);
      return;
    }
    for (const { name, role, version } of flip.release.functions) {
      const alias = aliases.of(name);
      if (!alias.everEdited && !alias.moves.has(row.sequence))
        world.violate(`the row ${key} was written with sequence ${row.sequence} before the alias of ${name} was moved`);
      const id = role === "server" ? row.server : role === "image" ? row.image : undefined;
      const address = id === undefined ? undefined : addressAt(cloudOf().lambda.functions.values(), id);
      if (address !== undefined && address.address.version !== version)
        world.violate(
          `the row ${key} sends visitors of ${name} to version ${address.address.version}, and release ${row.release} has ${version}`,
        );
    }
  };

  const gone = (key: string): void => {
    const [kind, distribution = "", release = ""] = key.split(":");
    const routed = seenPlace(ledger, distribution).state.routes.get(release);
    if (kind !== "release" || routed?.ended === null) world.violate(`the row ${key} was deleted, and what it leads to has not ended`);
  };

  return {
    of,
    handled,
    written: (key: string, _before: string | undefined, after: string | undefined): void => {
      if (key.startsWith("files:")) return;
      if (after === undefined) {
        gone(key);
        return;
      }
      const row = parsed(after);
      if (row === undefined) {
        world.violate(`the row ${key} was written as ${after}`);
        return;
      }
      named(key, row);
      const [, distribution = ""] = key.split(":");
      if (key === liveKey(distribution)) live(distribution, key, row);
    },
  };
};

export const seenPlace = (ledger: Ledger, distribution: string): Place => ledger.placeOf(streams.get(distribution) ?? "");

/** Of one that goes on failing, before a world may come to rest. */
const RESTORES = 3;

/** At rest: visitors are sent where the log says, somebody answers there, and what a hand did is seen. */
export const checkEdge = ({ world, edgeTable, lambda }: Cloud, stream: string, { state, flips }: Place): void => {
  const [distribution = ""] = [...streams].find(([, of]) => of === stream) ?? [];
  if (state.live === null) return;
  if (state.edge?.sequence !== state.live.sequence) {
    world.violate(`${stream}: ${state.live.sequence} is live, and visitors were sent to ${state.edge?.sequence ?? "nothing"} last`);
    return;
  }
  const text = edgeTable.versions.at(-1)?.get(liveKey(distribution));
  const isRight = text === JSON.stringify(state.edge.route);
  const restores = [...flips].filter(([sequence, { reason }]) => reason === "restore" && sequence > (state.live?.sequence ?? 0)).length;
  // what a flip wrote that was given up is no hand's, and is there for as long as no restore comes about
  const isGivenUp = flips.has(parsed(text)?.sequence ?? 0) && restores >= RESTORES;
  if (isRight !== (state.edgeDrift === undefined) && !isGivenUp)
    world.violate(`${stream}: the edge's row is ${text}, and ${isRight ? "it is called drift" : "nobody saw it"}`);
  // what goes on failing is tried ever less often
  if (text === undefined && restores < RESTORES)
    world.violate(`${stream}: the edge has no row of what is live, and ${restores} restores were tried`);
  for (const id of isRight && restores < RESTORES ? [state.edge.route.server, state.edge.route.image] : [])
    if (addressAt(lambda.functions.values(), id) === undefined)
      world.violate(`${stream}: visitors are sent to ${id}, nobody answers there, and ${restores} restores were tried`);
  for (const [release, { ended, route }] of state.routes)
    if (ended !== null && isRight && restores === 0)
      world.violate(`${stream}: ${release} has ended, and its address r-${route.address} is there`);
};
