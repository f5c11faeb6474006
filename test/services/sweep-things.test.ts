import { describe, expect, it } from "vitest";
import { type Environment, initial } from "../../domain/environment/state.ts";
import { verdictOf } from "../../domain/environment/verdict.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { Manifest, PublicFile } from "../../engine/open-next/manifest.ts";
import { setOf } from "../../engine/open-next/manifest.ts";
import type { Found } from "../../engine/sweep/found.ts";
import { type Ports as OtherPorts, othersOf } from "../../engine/sweep/others.ts";
import { placeOf } from "../../engine/sweep/place.ts";
import { type InUse, idOf, thingsOf } from "../../engine/sweep/things.ts";
import { artifact, deploymentId, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const place = placeOf(
  { buckets: { sources: "sources", artifacts: "artifacts", static: "static", archive: "archive" } },
  siteConfigOf("web", "production"),
);
const SERVER = "shiplog-web-production-server";
const HELPER = "shiplog-web-production-revalidation";

/** The n-th deployment, whose server has a version of its own and whose helper the first. */
const found = (n: number, change: Partial<Found> = {}): Found => ({
  deploymentId: deploymentId(n),
  release: deploymentId(n),
  sequence: n,
  hasEnded: true,
  madeAt: "2026-01-01T00:00:00.000Z",
  wasLive: true,
  isSwept: false,
  functions: [
    { role: "server", name: SERVER, version: String(n), codeSha256: "x", settings: "s" },
    { role: "revalidation", name: HELPER, version: "1", codeSha256: "x", settings: "s" },
  ],
  artifact: artifact(n).key,
  ...change,
});
const file = (path: string): PublicFile => ({
  path,
  sha256: `sha-of-${path}`,
  bytes: 1,
  contentType: "text/plain",
  cacheControl: "no-cache",
});
const manifest = (n: number, change: Partial<Manifest> = {}): Manifest => ({
  v: 2,
  deploymentId: deploymentId(n),
  releaseId: deploymentId(n),
  publicFiles: [file(`own-${n}.txt`)],
  versioned: ["_next/static/shared.js", `_next/static/own-${n}.js`],
  ...change,
});
type Manifests = ReadonlyMap<string, Manifest | undefined>;
const manifests = (...list: readonly Manifest[]): Manifests => new Map(list.map((one) => [one.deploymentId, one]));
const of = (going: readonly Found[], remaining: readonly Found[], has: Manifests, inUse: Partial<InUse> = {}): string[] =>
  thingsOf(place, going, remaining, has, { artifacts: new Set(), releases: new Set(), ...inUse }).map((thing) => idOf(thing));
const both = manifests(manifest(1), manifest(2));

describe("what goes with a release", () => {
  it("is everything of its own, in the order in which it is taken, and nothing that another has", () => {
    const set = setOf([file("own-1.txt")]);
    expect(of([found(1)], [found(2)], both)).toEqual([
      `row files:${set}:0`,
      `row release:${deploymentId(1)}`,
      `address ${SERVER}:r-1`,
      `version ${SERVER}:1`,
      `pages web/production/_cache/__fetch/${deploymentId(1)}/`,
      `pages web/production/_cache/${deploymentId(1)}/`,
      `tags ${deploymentId(1)}`,
      `files web/production/_assets/_next/static/own-1.js`,
      `files web/production/_assets/_public/${set}/`,
      "artifact builds/1/output.zip",
      `manifest web/production/_releases/${deploymentId(1)}.json`,
    ]);
  });

  it("is what two shared, once the second goes as well, and each thing once", () => {
    const things = of([found(1), found(2)], [], both);
    expect(things).toContain(`version ${HELPER}:1`);
    expect(things.filter((thing) => thing.includes("shared.js"))).toHaveLength(1);
    expect(new Set(things).size).toBe(things.length);
  });

  it("is not what a retry has taken over from it: its pages, its tags, its build, its public files", () => {
    const retry = found(2, { release: deploymentId(1), artifact: artifact(1).key });
    const things = of([found(1)], [retry], manifests(manifest(1), manifest(2, { publicFiles: [file("own-1.txt")] })));
    expect(things.map((thing) => thing.split(" ")[0])).toEqual(["address", "version", "files", "manifest"]);
  });

  it("is the pages of an app that is built with an id of its own, once no release that remains has them", () => {
    const own = (n: number) => manifest(n, { runtimeId: "v7" });
    const pages = (things: string[]) => things.filter((thing) => /^(pages|tags)/.test(thing));
    const all = ["pages web/production/_cache/__fetch/v7/", "pages web/production/_cache/v7/", "tags v7"];
    const named = manifest(2, { runtimeId: deploymentId(2) });
    expect(pages(of([found(1)], [found(2)], manifests(own(1), named)))).toEqual(all);
    expect(pages(of([found(1), found(2)], [], manifests(own(1), own(2))))).toEqual(all);
    // another has them, or may
    expect(pages(of([found(1)], [found(2)], manifests(own(1), own(2))))).toEqual([]);
    expect(pages(of([found(1)], [found(2)], manifests(own(1), manifest(2))))).toEqual([]);
    expect(pages(of([found(1)], [found(2)], new Map([[deploymentId(1), own(1)]])))).toEqual([]);
    // nor is a folder of them all taken for one of theirs
    for (const runtimeId of ["", ".", "..", "__fetch", "a/b"])
      expect(pages(of([found(1)], [], manifests(manifest(1, { runtimeId }))))).toEqual([]);
  });

  it("is not a build that a deployment on its way takes over", () => {
    expect(of([found(1)], [], both, { artifacts: new Set([artifact(1).key]) }).some((thing) => thing.startsWith("artifact"))).toBe(false);
    expect(of([found(1)], [], both, { isUnknown: true }).some((thing) => /^(artifact|manifest)/.test(thing))).toBe(false);
  });

  it("is not the pages of a build that somebody keeps by the name of another deployment", () => {
    const things = of([found(2, { release: deploymentId(1) })], [], manifests(manifest(2)), { releases: new Set([deploymentId(1)]) });
    expect(things.some((thing) => /^(pages|tags|row release)/.test(thing))).toBe(false);
    expect(things).toContain(`version ${SERVER}:2`);
  });

  it("is no file below _next where it is not known which files another has, and no set where its manifest cannot be read", () => {
    const older = manifest(2);
    delete older.versioned;
    const unlisted = of([found(1)], [found(2)], manifests(manifest(1), older));
    expect(unlisted.filter((thing) => thing.startsWith("files"))).toEqual([
      `files web/production/_assets/_public/${setOf([file("own-1.txt")])}/`,
    ]);
    const unread = of([found(1)], [found(2)], new Map([[deploymentId(1), manifest(1)]]));
    expect(unread.filter((thing) => /^(files|row files)/.test(thing))).toEqual([]);
    expect(unread).toContain(`version ${SERVER}:1`);
    expect(unread.some((thing) => thing.startsWith("manifest"))).toBe(false);
  });

  it("is the contents of an older engine's public files, where no other release of that engine has them", () => {
    const v1 = (n: number, ...paths: string[]) => manifest(n, { v: 1, publicFiles: paths.map(file) });
    const things = of([found(1)], [found(2)], manifests(v1(1, "a.txt", "b.txt"), v1(2, "b.txt")));
    expect(things.filter((thing) => thing.includes("/_public/sha"))).toEqual(["files web/production/_public/sha-of-a.txt"]);
  });

  it("is what there is of one that never had versions, and of one whose manifest is gone", () => {
    const kinds = of([found(1, { functions: [], artifact: undefined })], [], new Map()).map((thing) => thing.split(" ")[0]);
    expect(kinds).toEqual(["row", "pages", "pages", "tags", "manifest"]);
  });
});

describe("what no release has", () => {
  const RECENT = {
    youngSince: "2026-06-01T00:00:00.000Z",
    inWindow: new Set<string>(),
    mayFlip: new Set<string>(),
    sentOn: new Set<string>(),
  };
  type Given = { folders: Record<string, string[]>; keys: string[]; state: Partial<Environment>; inUse: Partial<InUse> };
  type Change = Partial<OtherPorts & Given>;
  const stray = async (change: Change = {}, has: Manifests = both) => {
    const { folders = {}, keys = [], state = {}, inUse = {}, ...ports } = change;
    const objects = {
      list: async () => [],
      getText: async () => undefined,
      folders: async (_: string, folder: string) => folders[folder] ?? [],
      pages: async function* () {
        yield keys.map((key) => ({ key, bytes: 5 }));
      },
    };
    const all: OtherPorts = { objects, events: async () => [], versions: async () => [], aliases: async () => [], ...ports };
    const { things, sizes } = await othersOf(all, place, { found: [found(1), found(2)], strangers: [] }, has, {
      judge: (one) => verdictOf(() => undefined, one, RECENT),
      state: { ...initial(), ...state },
      addresses: [9],
      inUse: { artifacts: new Set<string>(), releases: new Set<string>(), ...inUse },
      isLean: false,
    });
    return { things: things.map((thing) => idOf(thing)), sizes };
  };

  it("is a version that nobody recorded; not the code before the first release", async () => {
    const versions = async (name: string) =>
      name === SERVER ? ["1", "2", "7"].map((version) => ({ version, bytes: 10 })) : [{ version: "1", bytes: 3 }];
    const { things, sizes } = await stray({ versions });
    expect(things).toEqual([`version ${SERVER}:7`]);
    expect(sizes.get(`${SERVER}:7`)).toBe(10);
  });

  it("is an address that no release and no flip has, whatever hands call theirs", async () => {
    const aliases = async (name: string) => (name === SERVER ? ["live", "canary", "r-1", "r-5", "r-6", "r-7", "r-8", "r-9"] : []);
    const routed = (address: number) => ({ route: { address } }) as never;
    const state = { routes: new Map([[deploymentId(5), routed(5)]]), edge: routed(6), open: new Map([[7, {} as never]]) };
    expect((await stray({ aliases, state })).things).toEqual([`address ${SERVER}:r-8`]);
  });

  it("is a file that no manifest names, where all of them name theirs: below _next, in a set, or a whole set", async () => {
    const assets = "web/production/_assets";
    const set = `${assets}/_public/${setOf([file("own-1.txt")])}`;
    const keys = [
      `${assets}/_next/static/shared.js`,
      `${assets}/_next/static/lost.js`,
      `${assets}/_public/0123456789abcdef/robots.txt`,
      `${assets}/_public/0123456789abcdef/humans.txt`,
      `${set}/own-1.txt`,
      `${set}/_next/static/shared.js`,
      `${set}/_next/static/media/old.png`,
    ];
    const { things, sizes } = await stray({ keys });
    expect(things).toEqual([
      `files ${assets}/_next/static/lost.js`,
      `files ${assets}/_public/0123456789abcdef/`,
      `files ${set}/_next/static/media/old.png`,
    ]);
    expect([...sizes.keys()]).toEqual(keys);
    const unread = new Map([...both, [deploymentId(2), undefined]]);
    expect((await stray({ keys }, unread)).things).toEqual([]);
    const older = manifest(2);
    delete older.versioned;
    expect((await stray({ keys }, manifests(manifest(1), older))).things).toEqual([]);
  });

  it("is the pages of a deployment that ended before it had a manifest and is not young; none that the log does not know", async () => {
    const cache = "web/production/_cache";
    const folders = {
      [`${cache}/`]: ["__fetch", deploymentId(1), deploymentId(8), deploymentId(9)],
      [`${cache}/__fetch/`]: [deploymentId(7)],
    };
    const at = (n: number, age: string): Recorded[] => [
      {
        type: "DeploymentQueued",
        v: 1,
        body: { sequence: n, request: request(n) },
        at: age,
        version: 1,
        actor: "ada",
      } as unknown as Recorded,
      { type: "DeploymentFailed", v: 1, body: { step: "publish", reason: "x" }, at: age, version: 2, actor: "ada" } as unknown as Recorded,
    ];
    const events = async (stream: string) => {
      if (stream.endsWith(deploymentId(8))) return at(8, "2026-01-01T00:00:00.000Z");
      return stream.endsWith(deploymentId(9)) ? at(9, "2026-07-01T00:00:00.000Z") : [];
    };
    const named = (second: string) => manifests(manifest(1, { runtimeId: deploymentId(1) }), manifest(2, { runtimeId: second }));
    const own = named("v7");
    const { things } = await stray({ folders, events }, own);
    expect(things).toEqual([`pages ${cache}/${deploymentId(8)}/`, `pages ${cache}/__fetch/${deploymentId(8)}/`, `tags ${deploymentId(8)}`]);
    // nor those of a build that another deployment takes over, or that somebody keeps by that one's name
    expect((await stray({ folders, events, inUse: { releases: new Set([deploymentId(8)]) } }, own)).things).toEqual([]);
    expect((await stray({ folders, events, inUse: { isUnknown: true } }, own)).things).toEqual([]);
    // nor those of a build that came out of a cache with its id, or of which nobody knows
    expect((await stray({ folders, events }, named(deploymentId(8)))).things).toEqual([]);
    expect((await stray({ folders, events }, both)).things).toEqual([]);
  });
});
