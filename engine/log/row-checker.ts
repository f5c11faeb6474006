import { isDeepStrictEqual } from "node:util";
import { type Commit, type Link, linkFault, verifyChain } from "../../domain/kernel/chain.ts";
import { ChainBroken } from "./chain-broken.ts";
import { commitOf, type Item } from "./codec.ts";
import { sha256 } from "./digest.ts";

/** The first fault of a stream in the event table. `fields`: what of the row differs, where that can be told. */
export type RowFault = { readonly stream: string; readonly version: number; readonly fields: readonly string[]; readonly reason: string };

export const streamOf = (item: Item): string => item.pk?.S ?? "";

export type RowChecker = ReturnType<typeof rowChecker>;

/**
 * Checks the rows of one stream in their order: each is a commit, follows from the one before, and has the keys that
 * belong to it.
 *
 * @param head version and hash of the stream's last sealed commit, where it has one
 * @param after version behind which the rows begin: the first one's link to what is before it is not checked
 */
export const rowChecker = (
  stream: string,
  head: { readonly version: number; readonly hash: string } | undefined,
  itemOf: (commit: Commit) => Item,
  after = 0,
) => {
  let previous: Link | undefined;
  const fault = (version: number, reason: string, fields: readonly string[] = []): RowFault => ({ stream, version, fields, reason });

  return {
    /** Its fault, or what it holds. */
    check: (item: Item): RowFault | Commit => {
      const expected = (previous?.version ?? after) + 1;
      const commit = commitIn(item);
      if (commit instanceof ChainBroken) return fault(expected, commit.fault.reason);
      const link = previous === undefined && after > 0 ? verifyChain(sha256, [commit], after)?.reason : linkFault(sha256, commit, previous);
      // where a row is gone, it is that row's place
      if (link !== undefined) return fault(Math.min(expected, commit.version), link);
      if (!/^\d{15}$/.test(commit.position)) return fault(commit.version, "its position is none", ["position"]);
      const fields = differing(item, itemOf(commit));
      if (fields.length > 0) return fault(commit.version, `${listed(fields)} ${are(fields)} not what the commit itself says`, fields);
      if (commit.version === head?.version && commit.hash !== head.hash)
        return fault(commit.version, "it is not what was sealed, or one before it is not");
      previous = commit;
      return commit;
    },
    /** What is missing at the end of the stream. */
    end: (): RowFault | undefined => {
      const version = previous?.version ?? after;
      if (head === undefined || version >= head.version) return undefined;
      const what = version === 0 ? "the whole stream is gone" : `its end is gone: it has ${version} versions`;
      return fault(version + 1, `${what}, and ${head.version} were sealed`);
    },
  };
};

const commitIn = (item: Item): Commit | ChainBroken => {
  try {
    return commitOf(item);
  } catch (error) {
    if (error instanceof ChainBroken) return error;
    throw error;
  }
};

/** The attributes in which a row is not the item that it should be. */
export const differing = (found: Item, expected: Item): string[] =>
  [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter((name) => !isDeepStrictEqual(found[name], expected[name]));

const LIST = new Intl.ListFormat("en");
export const listed = (fields: readonly string[]): string => LIST.format(fields);
export const are = (fields: readonly string[]): string => (fields.length === 1 ? "is" : "are");
