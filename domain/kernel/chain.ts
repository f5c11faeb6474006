/** sha256 of a text as base64url. Given by the caller: the domain computes nothing that needs a platform. */
export type Sha256 = (text: string) => string;

/**
 * One decision as it is stored: one item of the event table. Stored for ever, and hashed byte for byte:
 * a new field needs a new hash version beside this one.
 */
export type Commit = {
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  /** JSON of the events `[{type, v, body}, …]`: exactly the bytes that were hashed */
  readonly body: string;
  readonly cause: string;
  readonly correlation: string;
  readonly actor: string;
  /** kind of credential and source address of who asked through the API; "" for what the engine does itself */
  readonly origin: string;
  readonly at: string;
  readonly position: string;
  /** hash of the stream's commit before this one; "" for the first */
  readonly prev: string;
  readonly hash: string;
};

/** The same cause writes the same commit: 22 characters (132 bits) name it. */
export const commitId = (sha256: Sha256, stream: string, cause: string): string => sha256(`${stream}\n${cause}`).slice(0, 22);

/** The hash that links a commit to everything before it in its stream. */
export const commitHash = (sha256: Sha256, commit: Omit<Commit, "hash">): string =>
  sha256(
    JSON.stringify([
      commit.stream,
      commit.version,
      commit.id,
      commit.body,
      commit.cause,
      commit.correlation,
      commit.actor,
      commit.origin,
      commit.at,
      commit.position,
      commit.prev,
    ]),
  );

/** Where and why a chain is broken. */
export type ChainFault = { readonly stream: string; readonly version: number; readonly reason: string };

/** Checks one stream from its first commit: versions 1, 2, 3 …, every link, every hash, every id, rising positions. */
export const verifyChain = (sha256: Sha256, commits: Iterable<Commit>): ChainFault | undefined => {
  let previous: Commit | undefined;
  for (const commit of commits) {
    const reason = faultOf(sha256, commit, previous);
    if (reason !== undefined) return { stream: commit.stream, version: commit.version, reason };
    previous = commit;
  }
  return undefined;
};

const faultOf = (sha256: Sha256, commit: Commit, previous: Commit | undefined): string | undefined => {
  const expected = (previous?.version ?? 0) + 1;
  if (commit.version !== expected) return `version ${expected} is missing or out of order`;
  if (previous !== undefined && commit.stream !== previous.stream) return `it belongs to another stream than version ${previous.version}`;
  if (commit.prev !== (previous?.hash ?? "")) return "it does not follow from the commit before it";
  if (commit.id !== commitId(sha256, commit.stream, commit.cause)) return "its id does not belong to its cause";
  if (previous !== undefined && commit.position <= previous.position) return "its position does not rise";
  if (commit.hash !== commitHash(sha256, commit)) return "its content was changed after it was written";
  return undefined;
};
