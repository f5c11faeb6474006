import { describe, expect, it } from "vitest";
import { type Environment, initial } from "../../domain/environment/state.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import type { Manifest } from "../../engine/open-next/manifest.ts";
import { setOf } from "../../engine/open-next/manifest.ts";
import { explain, type Seen } from "../../engine/sweep/explain.ts";
import { placeOf } from "../../engine/sweep/place.ts";
import type { Judged, Plan } from "../../engine/sweep/plan.ts";
import { at, deploymentId, functions, route } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const place = placeOf({ buckets: { static: "static", artifacts: "artifacts" } as never }, siteConfigOf("web", "production"));
const id = deploymentId;
const judgedAs = (n: number, verdict: Judged["verdict"], versionsOf = n): Judged => ({
  verdict,
  one: {
    deploymentId: id(n),
    release: id(n),
    sequence: n,
    hasEnded: true,
    madeAt: at(n),
    wasLive: true,
    isSwept: false,
    functions: functions(versionsOf),
    artifact: undefined,
  },
});
const robots = { path: "robots.txt", sha256: "a".repeat(64), bytes: 3, contentType: "text/plain", cacheControl: "no-cache" };
const other = { ...robots, sha256: "b".repeat(64) };
const SET = setOf([robots]);
const manifestOf = (n: number, publicFiles: Manifest["publicFiles"], versioned: string[] | undefined): [string, Manifest] => [
  id(n),
  { v: 2, deploymentId: id(n), releaseId: id(n), publicFiles, ...(versioned && { versioned }) },
];
const goes = { goes: "was-live" } as const;
const stays = { stays: "live" } as const;

/** #1 and #2 go, #3 is live; #2 and #3 share a chunk and the public files, #1 has both of its own. */
const seen = (change: Partial<Plan> = {}, more: Partial<Seen> = {}): Seen => {
  const judged = [judgedAs(1, goes), judgedAs(2, goes), judgedAs(3, stays)];
  const plan: Plan = {
    judged,
    going: judged.slice(0, 2).map(({ one }) => one),
    things: [],
    thingsBut: () => [],
    others: [
      { kind: "version", name: "web-production-server:9", of: null },
      { kind: "files", name: `${place.assets}/_next/stray.js`, of: null },
    ],
    flipped: 3,
    sizes: new Map(
      ["web-production-server:1", "web-production-server:9", `${place.assets}/_next/stray.js`, `${place.assets}/_next/late.js`].map(
        (name) => [name, 1],
      ),
    ),
    files: new Map(),
    strangers: [],
    lost: [],
    ...change,
  };
  return {
    place,
    plan,
    manifests: new Map([
      manifestOf(1, [other], ["_next/1.js"]),
      manifestOf(2, [robots], ["_next/2.js", "_next/both.js"]),
      manifestOf(3, [robots], ["_next/3.js", "_next/both.js", "_next/[id].js"]),
    ]),
    state: initial(),
    environment: { routes: [], kept: [] },
    ...more,
  };
};
const stateWith = (change: Partial<Environment>): Partial<Seen> => ({ state: { ...initial(), ...change } });
const view = (change: Partial<DeploymentView>): Partial<Seen> => ({
  deployment: { id: id(3), site: "web", environment: "production", status: "success", swept: null, ...change } as DeploymentView,
});

describe("a thing that a release has which stays, stays", () => {
  it.each([
    ["a version", "web-production-server:3"],
    ["an address on its function", "web-production-server:r-3"],
    ["an address", "r-3"],
    ["a file that has a name of its own in each version", "/_next/3.js"],
    ["a file whose name visitors write with escapes", "/_next/%5Bid%5D.js"],
    ["a file that is asked for with a query", "/_next/3.js?dpl=x"],
    ["a file that it shares with one that goes", "/_next/both.js"],
    ["a public file", "/robots.txt"],
    ["the key of a file", `${place.assets}/_next/3.js`],
    ["the key of a public file", `${place.assets}/_public/${SET}/robots.txt`],
    ["the key of a page", `${place.cache}/${id(3)}/index.cache`],
    ["the key of a fetch", `${place.cache}/__fetch/${id(3)}/x`],
    ["the key of its manifest", `${place.releases}/${id(3)}.json`],
    ["a set", SET],
  ])("%s: %s", (_, thing) => {
    expect(explain(seen(), thing)).toEqual({ thing, stays: true, is: "there", because: `${id(3)} (#3): it is live`, of: [id(3)] });
  });

  it("and where several need it each is named, the fifth is the last", () => {
    const judged = [1, 2, 3, 4, 5, 6, 7].map((n) => judgedAs(n, { stays: "young" }, 1));
    const said = explain(seen({ judged, going: [] }), "web-production-server:1");
    expect(said.of).toHaveLength(7);
    expect(said.because).toMatch(/#5\): it was made within the last 14 days; and 2 more$/);
  });
});

describe("a thing that only releases have which go, goes", () => {
  it.each(["web-production-server:1", "r-1", "/_next/1.js", `${place.releases}/${id(1)}.json`, setOf([other])])("%s", (thing) => {
    const said = explain(seen(), thing);
    expect(said).toMatchObject({ stays: false, of: [id(1)] });
    expect(said.because).toMatch(
      new RegExp(
        `^${id(1)} \\(#1\\): it was not among the last 10 that were live, .*; it is not marked yet, and goes no sooner than 24 hours after it is$`,
      ),
    );
  });

  it("from a time on, where it is marked", () => {
    const sweep = {
      mark: 1,
      list: "l",
      digest: "d",
      releases: [{ deploymentId: id(1), release: id(1), rule: "was-live" as const }],
      after: at(9),
      until: null,
    };
    expect(explain(seen({}, stateWith({ sweep })), "r-1").because).toContain(`; it is marked, and goes from ${at(9)} on`);
    expect(explain(seen({}, stateWith({ sweep })), "r-2").because).toContain("; it is not marked yet");
    expect(explain(seen({}, stateWith({ sweep: { ...sweep, until: at(20) } })), "r-1").because).toMatch(/; it is being swept$/);
  });

  it("with a later mark, where one does not take all of them", () => {
    expect(explain(seen({ going: [judgedAs(1, goes).one] }), "r-2").because).toMatch(
      /; it goes with a later mark: one takes 150 releases$/,
    );
  });

  it.each([
    ["there are releases that no deployment in the log has", { strangers: [id(8)] }],
    ["the manifests of releases that stay are gone", { lost: [id(8)] }],
  ])("but not while %s", (why, change) => {
    const said = explain(seen({ ...change, going: [], others: [] }), "/_next/1.js");
    expect([said.stays, said.because]).toEqual([true, `nothing is swept here while ${why}: ${id(8)}`]);
  });

  it("but not a release whose manifest is gone, though nothing of it can be found", () => {
    const said = explain(seen({ lost: [id(3)], judged: [], going: [], others: [] }, view({})), id(3));
    expect(said).toMatchObject({ stays: true, is: "there", because: expect.stringContaining("its manifest is gone") });
  });

  it("but not a file, where a release that stays is of an engine that did not list its files", () => {
    const { manifests } = seen();
    const unlisted = { manifests: new Map([...manifests, manifestOf(3, [robots], undefined)]) };
    expect(explain(seen({}, unlisted), "/_next/1.js")).toMatchObject({
      stays: true,
      because: expect.stringContaining(`may be theirs: ${id(3)}`),
    });
    // its public files are known
    expect(explain(seen({}, unlisted), setOf([other])).stays).toBe(false);
    expect(explain(seen({}, { manifests: new Map([...manifests, [id(3), undefined]]) }), setOf([other])).stays).toBe(true);
  });
});

describe("what no release has", () => {
  it.each(["web-production-server:9", "/_next/stray.js", `${place.assets}/_next/stray.js`])("goes once it is marked: %s", (thing) => {
    expect(explain(seen(), thing)).toEqual({
      thing,
      stays: false,
      is: "there",
      because: "no release has it: it goes once it is marked",
      of: [],
    });
  });

  it("goes with a later mark, where it is there and this plan does not have it", () => {
    expect(explain(seen(), "/_next/late.js")).toMatchObject({
      stays: false,
      because: expect.stringContaining("it goes with a later mark"),
    });
  });

  it("stays, where the infrastructure made it", () => {
    const judged = [judgedAs(3, stays)];
    expect(explain(seen({ judged, going: [] }), "web-production-server:1")).toMatchObject({
      stays: true,
      because: expect.stringContaining("the infrastructure made it"),
    });
  });

  it.each(["web-production-server:77", "r-77", "/about", "elsewhere/key", "0".repeat(16), "shop"])(
    "is said to be unknown where nothing is so called: %s",
    (thing) => {
      expect(explain(seen(), thing)).toEqual({
        thing,
        stays: false,
        is: "unknown",
        because: "nothing of that name is known in web/production",
        of: [],
      });
    },
  );
});

describe("an address", () => {
  it("that was taken away is not said to be its release's", () => {
    expect(explain(seen({}, stateWith({ removedAddresses: new Set([3]) })), "r-3")).toMatchObject({
      stays: false,
      is: "gone",
      because: expect.stringContaining("was taken away"),
    });
  });

  it("of a release that went live again is the one of its rollback", () => {
    const routed = { deploymentId: id(3), route: route(8), functions: [], until: null, ended: null };
    expect(explain(seen({}, stateWith({ routes: new Map([[id(3), routed]]), removedUpTo: 8 })), "r-8")).toMatchObject({
      stays: true,
      of: [id(3)],
    });
  });
});

describe("a deployment", () => {
  it("is told by its own rule", () => {
    expect(explain(seen({}, view({})), "dep_0")).toEqual({
      thing: "dep_0",
      stays: true,
      is: "there",
      because: `${id(3)} (#3): it is live`,
      of: [id(3)],
    });
    expect(explain(seen({}, view({ id: id(1) })), "dep_1")).toMatchObject({ stays: false, of: [id(1)] });
  });

  it("that is reached no more says so until its address is gone, and who keeps it by name beside that", () => {
    const judged = [judgedAs(3, { stays: "reached" })];
    const routed = (ended: "cut" | null) => ({ deploymentId: id(3), release: id(3), ended }) as EnvironmentView["routes"][number];
    const said = (routes: EnvironmentView["routes"], kept: EnvironmentView["kept"] = []) =>
      explain(seen({ judged }, { ...view({}), environment: { routes, kept } }), "dep_3").because;
    expect(said([routed(null)])).toBe(`${id(3)} (#3): visitors still reach it at its own address`);
    expect(said([routed("cut")])).toBe(
      `${id(3)} (#3): nobody is sent to it any more, and its address is taken away 10 minutes after that, once no edge can know it`,
    );
    expect(said([routed(null)], [{ deploymentId: id(3), actor: "ada", reason: "an audit", at: at() }])).toBe(
      `${id(3)} (#3): visitors still reach it at its own address; ada keeps it by name: an audit`,
    );
  });

  it("that was swept is told when, and by which rule", () => {
    const swept = { at: at(5), rule: "never-live" as const, keep: { releases: 1, days: 3, window: 0 } };
    expect(explain(seen({}, view({ id: id(6), swept })), "x")).toMatchObject({
      is: "gone",
      because: `it was swept on ${at(5)}: it never went live, and was made more than 3 days ago`,
    });
  });

  it("of which nothing was published has nothing that stays, unless it has not ended", () => {
    expect(explain(seen({}, view({ id: id(6), status: "failed" })), "x")).toMatchObject({
      stays: false,
      is: "gone",
      because: "nothing of it was published",
    });
    expect(explain(seen({}, view({ id: id(6), status: "building" })), "x")).toMatchObject({
      stays: true,
      because: "its deployment has not ended",
    });
  });

  it("of another environment is asked for there", () => {
    expect(explain(seen({}, view({ site: "shop" })), "x")).toMatchObject({ stays: false, because: "it is of shop/production: ask there" });
  });
});
