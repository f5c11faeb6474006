import { describe, expect, it } from "vitest";
import { type Commit, commitHash, commitId, verifyChain } from "../../../domain/kernel/chain.ts";
import { nextPosition } from "../../../domain/kernel/position.ts";
import { sha256 } from "../../../engine/log/codec.ts";

const chainOf = (stream: string, length: number): Commit[] => {
  const commits: Commit[] = [];
  for (let version = 1; version <= length; version++) commits.push(link(commits.at(-1), stream, version));
  return commits;
};
const link = (previous: Commit | undefined, stream: string, version: number): Commit => {
  const cause = `cmd_${version}`;
  const commit = {
    stream,
    version,
    id: commitId(sha256, stream, cause),
    body: JSON.stringify([{ type: "BuildStarted", v: 1, body: { buildId: `b${version}` } }]),
    cause,
    correlation: "cmd_1",
    actor: "ada",
    origin: "token:ada 203.0.113.9",
    at: "2026-11-23T12:00:00.000Z",
    position: nextPosition(1_795_000_000_000, previous?.position, undefined),
    prev: previous?.hash ?? "",
  };
  return { ...commit, hash: commitHash(sha256, commit) };
};

const chain = chainOf("deployment/dep_1", 5);
/** The same commits with one of them changed. */
const edited = (version: number, change: Partial<Commit>) =>
  chain.map((commit) => (commit.version === version ? { ...commit, ...change } : commit));
const faultIn = (commits: Commit[]) => verifyChain(sha256, commits);

describe("a chain of commits", () => {
  it("verifies as it was written", () => {
    expect(faultIn(chain)).toBeUndefined();
    expect(faultIn([])).toBeUndefined();
  });

  const changes: { [F in keyof Commit]: Commit[F] } = {
    stream: "deployment/dep_2",
    version: 9,
    id: "AAAAAAAAAAAAAAAAAAAAAA",
    body: "[]",
    cause: "cmd_9",
    correlation: "cmd_9",
    actor: "mallory",
    origin: "token:ada 198.51.100.7",
    at: "2026-11-24T12:00:00.000Z",
    position: "001795000000900",
    prev: "AAAA",
    hash: "AAAA",
  };
  for (const version of [1, 3, 5])
    it.each(Object.entries(changes))(`names version ${version} when its %s was edited`, (field, value) => {
      const fault = faultIn(edited(version, { [field]: value }));
      expect(fault).toMatchObject({ version: field === "version" ? 9 : version, reason: expect.stringMatching(/\w/) });
    });

  it("finds one flipped bit of a body", () => {
    const body = (chain[2] as Commit).body.replace("b3", "b2");
    expect(faultIn(edited(3, { body }))).toEqual({
      stream: "deployment/dep_1",
      version: 3,
      reason: "its content was changed after it was written",
    });
  });
  it("finds an edit whose hash was made anew, at the commit after it", () => {
    const forged = { ...(chain[2] as Commit), actor: "mallory" };
    const fault = faultIn(edited(3, { ...forged, hash: commitHash(sha256, forged) }));
    expect(fault).toMatchObject({ version: 4, reason: "it does not follow from the commit before it" });
  });
  it("finds a commit that was chained with a position that does not rise", () => {
    const forged = { ...(chain[4] as Commit), position: (chain[3] as Commit).position };
    const fault = faultIn(edited(5, { ...forged, hash: commitHash(sha256, forged) }));
    expect(fault).toMatchObject({ version: 5, reason: "its position does not rise" });
  });
  it.each([1, 2, 4])("finds that version %i was deleted", (gone) => {
    const fault = faultIn(chain.filter(({ version }) => version !== gone));
    expect(fault).toMatchObject({ version: gone + 1, reason: `version ${gone} is missing or out of order` });
  });
  it("finds a commit that was put in between, even where the versions after it were shifted", () => {
    const planted = link(chain[1], "deployment/dep_1", 3);
    const shifted = chain.slice(2).map((commit) => ({ ...commit, version: commit.version + 1 }));
    expect(
      faultIn([...chain.slice(0, 2), { ...planted, cause: "cmd_x", id: commitId(sha256, planted.stream, "cmd_x") }, ...shifted]),
    ).toMatchObject({ version: 3 });
    expect(faultIn([...chain.slice(0, 2), planted, ...shifted])).toMatchObject({ version: 4 });
  });
  it("finds a commit that is there twice", () => {
    expect(faultIn([...chain.slice(0, 3), ...chain.slice(2)])).toMatchObject({ version: 3 });
  });
  it("finds two commits that changed places", () => {
    const [one, two, three, four, five] = chain as [Commit, Commit, Commit, Commit, Commit];
    expect(faultIn([one, three, two, four, five])).toMatchObject({ version: 3, reason: "version 2 is missing or out of order" });
    const renumbered = [one, { ...three, version: 2 }, { ...two, version: 3 }, four, five];
    expect(faultIn(renumbered)).toMatchObject({ version: 2, reason: "it does not follow from the commit before it" });
  });
  it("finds commits of another stream", () => {
    const other = chainOf("deployment/dep_2", 3);
    expect(faultIn([...chain.slice(0, 2), other[2] as Commit])).toMatchObject({
      version: 3,
      reason: "it belongs to another stream than version 2",
    });
  });
  it("gives the same cause the same id in its stream, and another in any other", () => {
    expect(commitId(sha256, "deployment/a", "c")).toBe(commitId(sha256, "deployment/a", "c"));
    const ids = [commitId(sha256, "deployment/a", "c"), commitId(sha256, "deployment/a", "d"), commitId(sha256, "deployment/b", "c")];
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toMatch(/^[\w-]{22}$/);
  });
});
