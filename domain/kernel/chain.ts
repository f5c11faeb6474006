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

/** What the next commit of a stream follows from. */
export type Link = Pick<Commit, "stream" | "version" | "hash" | "position">;

/** Where and why a chain is broken. */
export type ChainFault = { readonly stream: string; readonly version: number; readonly reason: string };

/**
 * Checks one stream: versions without holes, every link, every hash, every id, rising positions.
 *
 * @param after version behind which the commits begin; the link to a commit that is not among them is not checked
 */
export const verifyChain = (sha256: Sha256, commits: Iterable<Commit>, after = 0): ChainFault | undefined => {
  let previous: Commit | undefined;
  for (const commit of commits) {
    const reason = previous === undefined && after > 0 ? partFault(sha256, commit, after) : linkFault(sha256, commit, previous);
    if (reason !== undefined) return { stream: commit.stream, version: commit.version, reason };
    previous = commit;
  }
  return undefined;
};

/** Why a commit is not the one that follows from what was before it in its stream, if it is not. `previous`: none before the first. */
export const linkFault = (sha256: Sha256, commit: Commit, previous: Link | undefined): string | undefined => {
  const expected = (previous?.version ?? 0) + 1;
  if (commit.version !== expected) return missing(expected);
  if (previous !== undefined && commit.stream !== previous.stream) return `it belongs to another stream than version ${previous.version}`;
  if (commit.prev !== (previous?.hash ?? "")) return "it does not follow from the commit before it";
  if (commit.id !== commitId(sha256, commit.stream, commit.cause)) return WRONG_ID;
  if (previous !== undefined && commit.position <= previous.position) return "its position does not rise";
  return contentFault(sha256, commit);
};

/** Why a commit is not what was written, if that can be told from itself alone. */
export const contentFault = (sha256: Sha256, commit: Commit): string | undefined =>
  commit.hash === commitHash(sha256, commit) ? undefined : "its content was changed after it was written";

/** The same of a commit whose predecessor is not at hand. */
const partFault = (sha256: Sha256, commit: Commit, after: number): string | undefined => {
  if (commit.version !== after + 1) return missing(after + 1);
  if (commit.id !== commitId(sha256, commit.stream, commit.cause)) return WRONG_ID;
  return contentFault(sha256, commit);
};

const missing = (version: number): string => `version ${version} is missing or out of order`;
const WRONG_ID = "its id does not belong to its cause";
