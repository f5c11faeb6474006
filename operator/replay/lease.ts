import * as z from "zod";
import type { Clock } from "../../engine/kit/clock.ts";
import type { Views } from "../../engine/views/views.ts";

/** How far a rebuild has come: what is at or before this has its rows in the new generation. */
export const Checkpoint = z.object({
  /** segments whose rows are written, and commits of the one after them */
  segments: z.number().int(),
  commits: z.number().int(),
  /** of each shard of the index: `position#stream#version` */
  shards: z.array(z.string()),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** A rebuild that is under way or was cut off; its row in the table of views. */
export const Rebuild = z.object({
  generation: z.number().int().positive(),
  /** names of read models; a newer engine may have others */
  views: z.array(z.string()),
  startedAt: z.string(),
  /** who works at it, until then (milliseconds since 1970) unless it says more */
  by: z.string(),
  until: z.number(),
  /** null: everything is written and compared, and old rows are being removed */
  checkpoint: Checkpoint.nullable(),
});
export type Rebuild = z.infer<typeof Rebuild>;

/** Another process rebuilds the read models now. */
export class RebuildRunning extends Error {
  override readonly name = "RebuildRunning";
}

export const LEASE_MS = 10_000;
/** A holder says more often than this that it is still there. */
const RENEW_MS = 2_000;

type Ports = {
  readonly views: Pick<Views, "rebuild" | "setRebuild">;
  readonly clock: Pick<Clock, "now" | "sleep">;
  /** one name for this run */
  readonly by: string;
  tell(line: string): void;
  /** nobody waits any more after this is aborted */
  readonly signal?: AbortSignal | undefined;
};

export type Lease = Awaited<ReturnType<typeof takeLease>>;

/**
 * Takes the one place of a rebuild, with what an earlier one left. One that was killed is waited for until its lease is
 * over; one that goes on renewing it keeps it.
 *
 * @throws RebuildRunning
 */
export const takeLease = async ({ views, clock, by, tell, signal }: Ports) => {
  let held = await stored(views);
  for (let first = held.state?.until; held.state !== undefined && held.state.until > clock.now(); held = await stored(views)) {
    if (held.state.until !== first)
      throw new RebuildRunning(`another process rebuilds ${held.state.views.join(", ")} since ${held.state.startedAt}`);
    tell("an earlier rebuild may still be running: waiting until its lease is over");
    // no longer than a lease lasts: a clock that was ahead has dated its end
    const began = clock.now();
    while (held.state.until > clock.now() && Math.abs(clock.now() - began) <= LEASE_MS) {
      signal?.throwIfAborted();
      await clock.sleep(250);
    }
    const after = await stored(views);
    if (after.revision === held.revision) break;
    first = held.state.until;
  }
  let { revision } = held;
  let state = held.state;
  let renewed = Number.NEGATIVE_INFINITY;

  const store = async (value: Rebuild | undefined): Promise<void> => {
    const text = JSON.stringify(value ?? null);
    // a repeated request of our own finds the revision taken by itself
    if (!(await views.setRebuild(revision, text)) && (await views.rebuild())?.value !== text)
      throw new RebuildRunning("another process has taken this rebuild over: this one stops");
    revision += 1;
    state = value;
    renewed = clock.now();
  };
  // one write after another: each stands on the revision of the one before
  let writing: Promise<void> = Promise.resolve();
  const write = (value: () => Rebuild | undefined): Promise<void> => {
    const mine = writing.then(() => store(value()));
    writing = mine.catch(() => undefined);
    return mine;
  };
  const renewal = (value: Omit<Rebuild, "by" | "until">): Rebuild => ({ ...value, by, until: clock.now() + LEASE_MS });

  return {
    /** what was left, or what was noted last */
    state: () => state,
    /** Notes how far it is, and that somebody is at it. */
    note: (value: Omit<Rebuild, "by" | "until">): Promise<void> => write(() => renewal(value)),
    /** Says that somebody is still at it, where that was not said lately. */
    keep: async (): Promise<void> => {
      if (state === undefined || clock.now() - renewed < RENEW_MS) return;
      renewed = clock.now();
      await write(() => state && renewal(state));
    },
    /** Lets the next one go on at once. */
    leave: (): Promise<void> => write(() => state && { ...state, until: 0 }),
    /** It is over. */
    end: (): Promise<void> => write(() => undefined),
  };
};

const stored = async (views: Ports["views"]): Promise<{ state: Rebuild | undefined; revision: number }> => {
  const found = await views.rebuild();
  if (found === undefined) return { state: undefined, revision: 0 };
  return { state: Rebuild.nullable().parse(JSON.parse(found.value)) ?? undefined, revision: found.revision };
};
