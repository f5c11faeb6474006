import type { Views } from "../aws/views.ts";
import type { Clock } from "../kit/clock.ts";

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
/** Within the time that a delivery has; then its message comes again. */
const WAIT_MS = 60_000;
const ASK_MS = 250;

/**
 * Writes public files of one environment while nobody else does.
 *
 * @param keep says that the writer is still there; `false` once another took over, and then it must not write
 * @throws FilesBusy
 */
export const asOnlyWriter = async <T>(
  { leases, clock }: Ports,
  place: string,
  act: (keep: () => Promise<boolean>) => Promise<T>,
): Promise<T> => {
  const name = `files/${place}`;
  const began = clock.now();
  const holder = `${began}-${clock.random()}`;
  let renewed = began;
  const take = (): Promise<boolean> => {
    renewed = clock.now();
    return leases.takeLease(name, holder, renewed, renewed + LEASE_MS);
  };
  while (!(await take())) {
    if (clock.now() - began > WAIT_MS) throw new FilesBusy(`another flip of ${place} is putting its public files`);
    await clock.sleep(ASK_MS * (1 + clock.random()));
  }
  try {
    return await act(async () => clock.now() - renewed < RENEW_MS || (await take()));
  } finally {
    // where this fails, the lease ends by itself
    await leases.giveLease(name, holder).catch(() => undefined);
  }
};
