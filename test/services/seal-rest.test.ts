import { describe, expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import type { Seal, SealedHead } from "../../domain/kernel/seal.ts";
import { SealManifest } from "../../domain/kernel/seal.ts";
import { type Ports, sealRest } from "../../engine/archive/seal.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { chained } from "../support/chained.ts";

const NOON = Date.UTC(2026, 10, 23, 12);
const streamOf = (name: string, versions: number): Commit[] =>
  chained(
    Array.from(
      { length: versions },
      (_, n) => ({ stream: name, version: n + 1, position: positionAt(NOON + n), at: "", cause: `${n}`, body: "[]" }) as unknown as Commit,
    ),
  );

/** A log in memory, and the seals over it. */
const log = (...streams: readonly Commit[][]) => {
  const written = new Map(streams.map((commits) => [commits[0]?.stream ?? "", commits]));
  const heads = new Map<string, SealedHead>();
  const seals: Seal[] = [];
  const noted: string[] = [];
  let numbered = 0;
  let key = "key";
  const unsealed = new Map([...written].map(([name, commits]) => [name, commits.length]));
  const ports: Ports = {
    sha256,
    now: () => NOON,
    unsealedStreams: async () => [...unsealed.keys()],
    noteUnsealed: async (stream, version) => void unsealed.set(stream, version),
    sealedHead: async (stream) => heads.get(stream),
    noteSealed: async (stream, head) => {
      noted.push(stream);
      heads.set(stream, head);
      if (head.missing.length === 0 && head.version >= (unsealed.get(stream) ?? 0)) unsealed.delete(stream);
    },
    sealsNoted: async () => numbered,
    noteSeals: async (number) => {
      numbered = number;
    },
    sealsAfter: async function* () {},
    commitsOf: async function* () {},
    wholeLog: async function* () {},
    read: async (stream, after) => (written.get(stream) ?? []).filter(({ version }) => version > after),
    latest: async () => seals.at(-1),
    openSegment: async () => ({
      write: async () => undefined,
      end: async (number) => ({ key: `segments/${number}.gz`, sha256: "s", bytes: 1 }),
      discard: async () => undefined,
    }),
    keyName: async () => key,
    sign: async () => "c2lnbmVk",
    store: async (number, seal) => seals.length === number - 1 && seals.push(seal) > 0,
  };
  return {
    written,
    heads,
    unsealed,
    noted,
    signsWith: (other: string) => {
      key = other;
    },
    seal: () => sealRest(ports, "only what is new"),
    manifests: () => seals.map(({ manifest }) => SealManifest.parse(JSON.parse(manifest))),
  };
};

describe("sealing the rest of the log", () => {
  it("goes on with another seal where there is more than one has", async () => {
    const here = log(...Array.from({ length: 7 }, (_, n) => streamOf(`deployment/${n}`, 1_000)));
    expect(await here.seal()).toMatchObject({ number: 2, count: 2_000 });
    expect(here.manifests().map(({ count }) => count)).toEqual([5_000, 2_000]);
    expect(here.unsealed.size).toBe(0);
  });
  it("takes no commit across one that is gone, and says which", async () => {
    const here = log(streamOf("deployment/whole", 2), streamOf("deployment/holed", 4));
    here.written.get("deployment/holed")?.splice(1, 1);
    await expect(here.seal()).rejects.toThrow(/deployment\/holed version 3 is not sealed: version 2 is gone from the event table/);
    expect(here.manifests()).toMatchObject([{ count: 3 }]);
    expect(here.heads.get("deployment/holed")).toMatchObject({ version: 1 });
  });
  it("adds no seal of another key than that of the last: a history of two keys verifies with neither", async () => {
    const here = log(streamOf("deployment/first", 2));
    await here.seal();
    const more = streamOf("deployment/second", 1);
    here.written.set("deployment/second", more);
    here.unsealed.set("deployment/second", 1);
    here.signsWith("another");
    await expect(here.seal()).rejects.toThrow(/seal 1 was signed by the key key, and here is another, another. Nothing was sealed/);
    expect(here.manifests()).toHaveLength(1);
    here.signsWith("key");
    expect(await here.seal()).toMatchObject({ number: 2, count: 1 });
  });
  it("looks further back where seals by time passed something over", async () => {
    const here = log(streamOf("deployment/late", 5));
    const commits = here.written.get("deployment/late") ?? [];
    here.heads.set("deployment/late", {
      version: 4,
      hash: commits[3]?.hash ?? "",
      missing: [{ from: 2, to: 3, before: commits[0]?.hash ?? "", after: commits[3]?.prev ?? "" }],
    });
    expect(await here.seal()).toMatchObject({
      count: 3,
      streams: {
        "deployment/late": [
          { from: 2, to: 3 },
          { from: 5, to: 5 },
        ],
      },
    });
    expect(here.heads.get("deployment/late")).toMatchObject({ version: 5, missing: [] });
  });
  it("notes that all of a stream is sealed where an earlier sealer did not come to say so", async () => {
    const here = log(streamOf("deployment/told", 2));
    const commits = here.written.get("deployment/told") ?? [];
    here.heads.set("deployment/told", { version: 2, hash: commits[1]?.hash ?? "", missing: [] });
    expect(await here.seal()).toBeUndefined();
    expect([here.noted, here.unsealed.size]).toEqual([["deployment/told"], 0]);
  });
});
