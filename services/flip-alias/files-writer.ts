import type { Clock } from "../../engine/kit/clock.ts";
import type { Views } from "../../engine/views/views.ts";
import type { Writer } from "./public-files.ts";

export type Leases = Pick<Views, "takeLease" | "giveLease">;
type Ports = { readonly leases: Leases; readonly clock: Clock };

/** Another flip puts public files of the same environment, and goes on for longer than a delivery may wait. */
export class FilesBusy extends Error {
  override readonly name = "FilesBusy";
}

/** A writer that died is succeeded after this long. */
const LEASE_MS = 10_000;
/** A writer says more often than this that it is still there. */
const RENEW_MS = 3_000;
/** A write that begins by then is over before anybody else may write: a lease is longer by what a write takes. */
const SURE_MS = 5_000;
/** Within the time that a delivery has; then its message comes again. */
const WAIT_MS = 60_000;
const ASK_MS = 250;

/**
 * A writer's turn: a writer of files that goes on for as long as `stands` says so. It is told whether the turn is still its
 * own; where it is not, nothing may be written.
 */
export type Turn = (stands: (isOwn: boolean) => Promise<boolean>) => Writer;

/**
 * Writes public files of one environment while nobody else does.
 *
 * @throws FilesBusy
 */
export const asOnlyWriter = async <T>({ leases, clock }: Ports, place: string, act: (turn: Turn) => Promise<T>): Promise<T> => {
  const name = `files/${place}`;
  const began = clock.now();
  const holder = `${began}-${clock.random()}`;
  let renewed = began;
  const take = async (): Promise<boolean> => {
    const asked = clock.now();
    if (!(await leases.takeLease(name, holder, asked, asked + LEASE_MS))) return false;
    renewed = asked;
    return true;
  };
  /** A clock that was set back says nothing. */
  const isWithin = (since: number, ms: number): boolean => clock.now() >= since && clock.now() - since < ms;
  while (!(await take())) {
    if (clock.now() - began > WAIT_MS) throw new FilesBusy(`another flip of ${place} is putting its public files`);
    await clock.sleep(ASK_MS * (1 + clock.random()));
  }
  const turn: Turn = (stands) => {
    /** when the lease was renewed that the last answer counts for */
    let sureSince = Number.NEGATIVE_INFINITY;
    return {
      proceed: async () => {
        const isOwn = isWithin(renewed, RENEW_MS) || (await take());
        const since = renewed;
        if (!(await stands(isOwn))) return false;
        sureSince = since;
        return true;
      },
      isSure: () => isWithin(sureSince, SURE_MS),
    };
  };
  try {
    return await act(turn);
  } finally {
    // where this fails, the lease ends by itself
    await leases.giveLease(name, holder).catch(() => undefined);
  }
};
