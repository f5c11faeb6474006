import type { Subscribed } from "../../blueprint/topology.ts";
import { describe as describeFence, type FoundAlias, UNMOVED } from "../../domain/environment/fence.ts";
import type { PublicSet } from "../../domain/environment/route.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { Delivery } from "../../engine/kit/consumer.ts";
import { type FlipTries, NO_TRIES } from "../../engine/views/flip-notes.ts";
import { flipAlias, type Ports } from "../../services/flip-alias/flip-alias.ts";
import { heldAddresses, heldTable } from "./held-edge.ts";
import { functions, versionOf } from "./samples.ts";
import { siteConfigOf } from "./site-config.ts";
import { steps, type VerbRoom } from "./verb-room.ts";

type Invoke = Ports["functions"]["invoke"];
type Delivered = Partial<Delivery> & { requested?: Recorded<Subscribed<"flip-alias">> };

const NO_FILES: Awaited<ReturnType<Ports["publicSet"]>> = { files: { set: "0".repeat(16), rows: 0 }, rows: [] };

/** A site whose functions' aliases and edge's table are held here, for hands to change. Each of its releases has these public files. */
export const flipRoom = (room: VerbRoom, name: string, publicSet = NO_FILES) => {
  const aliases = new Map<string, FoundAlias>(
    functions(1).map(({ name: fn }) => [fn, { version: "0", description: describeFence(UNMOVED) }]),
  );
  const at = (fn: string) => ({ ...(aliases.get(fn) as FoundAlias), revisionId: JSON.stringify(aliases.get(fn)) });
  const place = steps(1, name).place;
  const did: string[] = [];
  /** functions whose version is there no more */
  const gone = new Set<string>();
  let reading = async (_fn: string): Promise<void> => undefined;
  let answer: Invoke | undefined;
  const itself: Invoke = async (fn, qualifier) => ({
    version: qualifier === "live" ? at(fn).version : qualifier,
    failed: null,
    payload: '{"statusCode":200}',
  });
  const tries = new Map<number, FlipTries>();
  const edge = heldTable();
  const { addresses, made } = heldAddresses();
  const flip = flipAlias({
    ...room,
    notes: {
      flipTries: async (_, sequence) => tries.get(sequence) ?? NO_TRIES,
      noteTries: async (_, sequence, _before, now) => void tries.set(sequence, now),
      forgetTries: async (_, sequence) => void tries.delete(sequence),
    },
    site: () => ({ ...siteConfigOf(name, "production"), distribution: "E1", edgeTable: "table" }),
    addresses,
    edgeTable: edge.table,
    publicSet: async () => publicSet,
    functions: {
      alias: async (fn) => {
        await reading(fn);
        return at(fn);
      },
      moveAlias: async (fn, _alias, to) => {
        did.push(`moved ${fn} to ${to.version}`);
        aliases.set(fn, to);
        return at(fn);
      },
      invoke: (fn, qualifier, payload) => (answer ?? itself)(fn, qualifier, payload),
      get: async (fn, version = "") => (gone.has(fn) ? undefined : versionOf(version)),
    },
  });
  return {
    aliases,
    place,
    did,
    edge,
    addresses: made,
    /** what makes and removes them */
    held: addresses,
    /** sequences of flips of which tries are noted */
    tries: tries as ReadonlyMap<number, FlipTries>,
    gone,
    /** Deployment n is admitted, built and published, and its flip is asked for with sequence n; `files`: those that its release names. */
    asks: async (n: number, files?: PublicSet): Promise<void> => {
      const { admit, queue, began, built, published, flip: request } = steps(n, name);
      await room.environment(name, admit);
      await room.deployment(n, queue(n), began, built, ...published);
      const asked = request(n);
      await room.environment(name, files === undefined ? asked : { ...asked, release: { ...asked.release, files } });
    },
    /** The newest flip that was asked for comes, or the one that is given. */
    delivers: async ({ receives = 1, ...change }: Delivered = {}): Promise<void> => {
      const { requested: given, ...delivery } = change;
      const requested = given ?? (await room.newest<Recorded<Subscribed<"flip-alias">>>(place, "FlipRequested"));
      await flip(requested, { message: "m1", last: false, receives, givesUp: () => true, ...delivery });
    },
    requested: () => room.newest<Recorded<Subscribed<"flip-alias">>>(place, "FlipRequested"),
    /** How its functions answer from now on; `itself` is how they would. */
    answers: (how: (itself: Invoke) => Invoke) => {
      answer = how(itself);
    },
    /** What happens right before an alias is read, from now on. */
    onRead: (happens: (fn: string) => Promise<void>) => {
      reading = happens;
    },
    state: async () => (await room.aggregates.environment.load(name, "production")).state,
    hand: (fn: string, change: Partial<FoundAlias>) => aliases.set(fn, { ...(aliases.get(fn) as FoundAlias), ...change }),
    types: () => room.typesOf(place),
    newest: (type: string) => room.newest(place, type),
  };
};
