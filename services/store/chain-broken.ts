import { type ChainFault, type Commit, verifyChain } from "../../domain/kernel/chain.ts";
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

type Read = (stream: string, after: number) => Promise<readonly Commit[]>;

/**
 * Reads a stream and refuses it where its chain breaks, from the commit before on. It costs a hash a commit, so it is for
 * those who tell of the past.
 *
 * @throws ChainBroken
 */
export const unbroken =
  (read: Read): Read =>
  async (stream, after) => {
    const from = Math.max(after - 1, 0);
    const commits = await read(stream, from);
    const fault = verifyChain(sha256, commits, from);
    if (fault !== undefined) throw new ChainBroken(fault);
    return commits.filter(({ version }) => version > after);
  };
