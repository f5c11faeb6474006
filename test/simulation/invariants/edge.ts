import { LiveRow, liveKey, type ReleaseRow, releaseKey } from "../../../blueprint/edge-table.ts";
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

const streams = new Map(
  config.sites.map(({ site, environment, distribution }) => [distribution ?? "", environmentStream(site, environment)] as const),
);
const parsed = (text: string | undefined): ReleaseRow | undefined => {
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
    if (row.sequence < before.highest) world.violate(`the row ${key} went from sequence ${before.highest} to ${row.sequence}`);
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

const seenPlace = (ledger: Ledger, distribution: string): Place => ledger.placeOf(streams.get(distribution) ?? "");

const POINTS = 2;
/** Every edge has a change by then. */
const LATEST_MS = 10 * 60_000;
const EVERY_MS = 60_000;

/**
 * Visitors at points of presence, each of which has the table as it was some time ago, and never goes back. A document never comes
 * from an older sequence than one that the same point has served, and every release that a page may name is there.
 */
export const visit = ({ world, edgeTable, lambda }: Cloud, ledger: Ledger, watch: EdgeWatch, until: number): void => {
  const random = world.random.fork("visitors");
  /** What a page may name that somebody has open: each such row leads somewhere until its time is over. */
  const follow = (distribution: string, rows: ReadonlyMap<string, string>, whose: string): void => {
    for (const [key, text] of rows) {
      if (!key.startsWith(releaseKey(distribution, "")) || watch.handled.size > 0) continue;
      const row = parsed(text);
      if (row === undefined || (row.until !== undefined && row.until * 1_000 <= world.now())) continue;
      if (addressAt(lambda.functions.values(), row.server) === undefined)
        world.violate(`the row ${key} of ${whose} names r-${row.address} at ${row.server}, and nobody answers there`);
    }
  };
  for (const distribution of streams.keys())
    for (let point = 0; point < POINTS; point++) {
      let version = 0;
      let served = 0;
      const come = (): void => {
        version = Math.max(version, edgeTable.versionAt(world.now() - LATEST_MS));
        version += random.int(edgeTable.versions.length - version);
        const rows = edgeTable.versions[version];
        follow(distribution, edgeTable.versions.at(-1) ?? new Map(), "the table");
        // where no clock was wrong: whoever takes an address away counts the minutes since its row went
        const { counts } = world.faults;
        if (counts["clock-skew"] + counts["clock-jump"] === 0) follow(distribution, rows ?? new Map(), "an edge");
        const row = parsed(rows?.get(liveKey(distribution)));
        const isHands = row !== undefined && !seenPlace(ledger, distribution).flips.has(row.sequence);
        if (row !== undefined && !isHands && !watch.of(distribution).edited) {
          if (row.sequence < served) world.violate(`a visitor of ${distribution} got sequence ${row.sequence} after ${served}`);
          served = row.sequence;
          if (rows?.get(releaseKey(distribution, row.release)) === undefined)
            world.violate(`pages of ${row.release} are served at ${distribution}, and what names it reaches nothing`);
          if (addressAt(lambda.functions.values(), row.server) === undefined && watch.handled.size === 0)
            world.violate(`a visitor of ${distribution} is sent to ${row.server}, and nobody answers there`);
        }
        if (world.now() < until) world.after(random.between(0.2, 1.8) * EVERY_MS, come);
      };
      world.after(random.between(0, EVERY_MS), come);
    }
};

/** At rest: visitors are sent where the log says, and what a hand did is seen. */
export const checkEdge = ({ world, edgeTable }: Cloud, stream: string, { state, flips }: Place): void => {
  const [distribution = ""] = [...streams].find(([, of]) => of === stream) ?? [];
  if (state.live === null) return;
  if (state.edge?.sequence !== state.live.sequence) {
    world.violate(`${stream}: ${state.live.sequence} is live, and visitors were sent to ${state.edge?.sequence ?? "nothing"} last`);
    return;
  }
  const text = edgeTable.versions.at(-1)?.get(liveKey(distribution));
  const isRight = text === JSON.stringify(state.edge.route);
  if (isRight !== (state.edgeDrift === undefined))
    world.violate(`${stream}: the edge's row is ${text}, and ${isRight ? "it is called drift" : "nobody saw it"}`);
  const restoring = [...flips].some(([sequence, { reason }]) => reason === "restore" && sequence > (state.live?.sequence ?? 0));
  if (text === undefined && !restoring) world.violate(`${stream}: the edge has no row of what is live`);
  for (const [release, { ended, route }] of state.routes)
    if (ended !== null && isRight && !restoring)
      world.violate(`${stream}: ${release} has ended, and its address r-${route.address} is there`);
};
