import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Release } from "../../domain/deployment/shapes.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import { asOnlyWriter, FilesBusy, type Leases, type Turn } from "./files-writer.ts";
import type { Flip } from "./flip.ts";
import type { Writer } from "./public-files.ts";

export type Ports = {
  readonly clock: Clock;
  readonly leases: Leases;
  readonly unsettled: { note(place: string, sequence: number): Promise<boolean> };
  /** the public files of a release, by its manifest */
  readonly files: {
    put(site: SiteConfig, manifest: string, writer: Writer): Promise<boolean>;
    /** without a manifest nothing is kept */
    removeOthers(site: SiteConfig, manifest: string | undefined, other: string, writer: Writer): Promise<boolean>;
  };
};

/**
 * Puts the release's public files, as the environment's only writer, for as long as no newer flip is asked for: an
 * overtaken one stops within a batch. Answers whether the flip goes on.
 */
export const putFiles = (ports: Ports, flip: Flip, site: SiteConfig): Promise<boolean> => {
  const stands = ({ open, flipped }: Environment): boolean => open.has(flip.sequence) && flipped === flip.sequence;
  return asOnlyWriter(ports, flip.place, (turn) =>
    ports.files.put(
      site,
      flip.release.manifest,
      turn(async (isOwn) => isOwn && stands(await flip.now())),
    ),
  );
};

/**
 * The files of what is live, or about to be, and no others: a slower, older flip may have put its files last, a failed one
 * put files that nobody should see, and one that settled put those of what was about to be live then and is not now.
 */
export const settleFiles = (ports: Ports, flip: Flip, site: SiteConfig): Promise<void> =>
  asOnlyWriter(ports, flip.place, async (turn) => {
    let settled: number | undefined = flip.sequence;
    for (;;) {
      const then = await flip.now();
      const newest = newestOf(then);
      const writer = writerOf(flip, newest?.sequence, turn);
      if (newest !== undefined && newest.sequence !== settled) {
        // it may end without ever having run, and then nobody else knows that its files are here
        if (then.open.has(newest.sequence)) await ports.unsettled.note(flip.place, newest.sequence);
        if (await ports.files.put(site, newest.release.manifest, writer)) settled = newest.sequence;
        continue;
      }
      // whoever overtook it knows this release alone: what was live before it is this flip's to take away
      const others = newest?.sequence === flip.sequence ? [previousOf(flip, then)] : [flip.release, previousOf(flip, then)];
      if (await removeAll(ports, site, newest?.release.manifest, others, writer)) return;
    }
  });

const removeAll = async (
  { files }: Ports,
  site: SiteConfig,
  manifest: string | undefined,
  others: readonly (Release | undefined)[],
  writer: Writer,
): Promise<boolean> => {
  for (const other of others) if (other !== undefined && !(await files.removeOthers(site, manifest, other.manifest, writer))) return false;
  return true;
};

/** Writes for as long as that is the newest. Throws where another writer took over: what it does is the newer. */
const writerOf = (flip: Flip, newest: number | undefined, turn: Turn): Writer =>
  turn(async (isOwn) => {
    if (!isOwn) throw new FilesBusy(`another flip of ${flip.site}/${flip.environment} took its public files over`);
    return newestOf(await flip.now())?.sequence === newest;
  });

const previousOf = ({ previous }: Flip, { everLive }: Environment): Release | undefined =>
  previous === null ? undefined : everLive.get(previous.deploymentId)?.release;

/** What is live, or about to be. */
const newestOf = ({ open, live, everLive }: Environment): { sequence: number; release: Release } | undefined => {
  const current = live === null ? undefined : everLive.get(live.deploymentId);
  let newest = live === null || current === undefined ? undefined : { sequence: live.sequence, release: current.release };
  for (const flip of open.values())
    if (flip.sequence > (newest?.sequence ?? 0)) newest = { sequence: flip.sequence, release: flip.release };
  return newest;
};
