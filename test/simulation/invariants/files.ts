import { hash } from "node:crypto";
import { siteResources } from "../../../blueprint/site-resources.ts";
import { environmentStream } from "../../../domain/kernel/identity.ts";
import { config, places } from "../engine/config.ts";
import type { Ledger } from "../ledger.ts";
import type { World } from "../world/world.ts";

/** Files that a flip may put after it was overtaken: one batch, before it looks again. */
const MAX_LATE = 50;
const folders = places.map(({ site, environment }) => ({
  stream: environmentStream(site, environment),
  folder: `${siteResources(site, environment).assets}/`,
}));

/**
 * Invariant of the public files, at each copy: who puts files of a release that is neither live nor about to be stops
 * within a batch.
 *
 * @param manifestAt the text of a release's manifest
 */
export const filesOf = (world: World, ledger: Ledger, manifestAt: (key: string) => string | undefined) => {
  const manifests = new Map<string, string>();
  const late = new Map<string, number>();

  return {
    copied: (bucket: string, key: string, text: string): void => {
      if (bucket !== config.buckets.static) return;
      const place = folders.find(({ folder }) => key.startsWith(folder));
      const writer = world.acting();
      if (place === undefined || writer === undefined) return;
      const newest = newestOf(place.stream);
      if (newest === undefined || manifestOf(newest.manifest).includes(hash("sha256", text, "hex"))) return;
      // what differs from release to release ends with whose it is
      const release = text.split(" ").at(-1);
      const count = `${writer.id} ${newest.sequence} ${release}`;
      late.set(count, (late.get(count) ?? 0) + 1);
      if ((late.get(count) ?? 0) > MAX_LATE)
        world.violate(`${writer.name} goes on putting files of ${release} while sequence ${newest.sequence} is the newest`);
    },
  };

  /** What is live, or about to be. */
  function newestOf(stream: string): { sequence: number; manifest: string } | undefined {
    const { live, everLive, open } = ledger.placeOf(stream).state;
    const [last] = [...open.values()].sort((a, b) => b.sequence - a.sequence);
    if (last !== undefined && last.sequence > (live?.sequence ?? 0)) return { sequence: last.sequence, manifest: last.release.manifest };
    const release = live === null ? undefined : everLive.get(live.deploymentId)?.release;
    return live === null || release === undefined ? undefined : { sequence: live.sequence, manifest: release.manifest };
  }

  function manifestOf(key: string): string {
    const found = manifests.get(key) ?? manifestAt(key) ?? "";
    manifests.set(key, found);
    return found;
  }
};
