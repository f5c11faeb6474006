import { type Commit, commitHash } from "../../domain/kernel/chain.ts";
import { sha256 } from "../../engine/log/codec.ts";

/** Commits of one stream, changed for a test, with the chain that they have now. */
export const chained = (commits: readonly Commit[]): Commit[] => {
  let prev = "";
  return commits.map((commit) => {
    const linked = { ...commit, prev };
    prev = commitHash(sha256, linked);
    return { ...linked, hash: prev };
  });
};
