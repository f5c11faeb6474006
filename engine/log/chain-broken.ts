import { type ChainFault, type Commit, contentFault, verifyChain } from "../../domain/kernel/chain.ts";
import { sha256 } from "./digest.ts";

/** A stream is not what was written: nothing is told of it but where it breaks. */
export class ChainBroken extends Error {
  override readonly name = "ChainBroken";
  readonly fault: ChainFault;
  constructor({ stream, version, reason }: ChainFault, options?: ErrorOptions) {
    super(`The log of ${stream} was changed behind Shiplog's back at version ${version}: ${reason}`, options);
    this.fault = { stream, version, reason };
  }
}

type Read = (stream: string, after: number, limit?: number) => Promise<readonly Commit[]>;

/**
 * Reads a stream and refuses it where its chain breaks, from the commit before on. It costs a hash a commit, so it is for
 * those who tell of the past.
 *
 * @throws ChainBroken
 */
export const unbroken =
  (read: Read): Read =>
  async (stream, after, limit) => {
    const from = Math.max(after - 1, 0);
    const commits = await read(stream, from, limit === undefined ? undefined : limit + after - from);
    const fault = verifyChain(sha256, commits, from);
    if (fault !== undefined) throw new ChainBroken(fault);
    return commits.filter(({ version }) => version > after);
  };

/** Commits of one stream, newest first, of which each was looked at with the one before it. @throws ChainBroken */
export async function* unbrokenBack(commits: AsyncIterable<Commit>): AsyncGenerator<Commit, undefined> {
  let newer: Commit | undefined;
  for await (const commit of commits) {
    const fault = verifyChain(sha256, newer === undefined ? [commit] : [commit, newer], commit.version - 1);
    if (fault !== undefined) throw new ChainBroken(fault);
    yield commit;
    newer = commit;
  }
  if (newer !== undefined && newer.version > 1)
    throw new ChainBroken({
      stream: newer.stream,
      version: newer.version - 1,
      reason: `version ${newer.version - 1} is missing or out of order`,
    });
  return undefined;
}

/** Refuses commits of several streams of which one was changed: each is looked at by itself. @throws ChainBroken */
export const unchanged = <C extends readonly Commit[]>(commits: C): C => {
  for (const commit of commits) {
    const reason = contentFault(sha256, commit);
    if (reason !== undefined) throw new ChainBroken({ ...commit, reason });
  }
  return commits;
};
