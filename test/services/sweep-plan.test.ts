import { describe, expect, it } from "vitest";
import { type Environment, initial } from "../../domain/environment/state.ts";
import { MAX_MARKED } from "../../domain/environment/sweep.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream } from "../../domain/kernel/identity.ts";
import { manifestKey } from "../../engine/open-next/manifest.ts";
import { placeOf } from "../../engine/sweep/place.ts";
import { type Ports, planOf } from "../../engine/sweep/plan.ts";
import type { idOf } from "../../engine/sweep/things.ts";
import { artifact, deploymentId, release, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const place = placeOf(
  { buckets: { sources: "sources", artifacts: "artifacts", static: "static", archive: "archive" } },
  siteConfigOf("web", "production"),
);
const { assets } = place;
const OLD = "2026-01-01T00:00:00.000Z";

/** What the log has of a deployment that failed months ago; its release has a version and a file of its own. */
const history = (n: number, isSwept: boolean): Recorded[] => {
  const bodies: [string, object][] = [
    ["DeploymentQueued", { sequence: n, request: request(n) }],
    ["BuildSucceeded", { buildId: `b:${n}`, releaseId: deploymentId(n), artifact: artifact(n) }],
    ["VersionsPublished", { functions: release(n).functions }],
    ["DeploymentFailed", { step: "check", reason: "it answers 500" }],
    ...(isSwept ? [["ReleaseSwept", { mark: 1, rule: "never-live", keep: place.keep }] as [string, object]] : []),
  ];
  return bodies.map(
    ([type, body], at) =>
      ({ type, v: 1, body, at: OLD, version: at + 1, stream: deploymentStream(deploymentId(n)), actor: "ada" }) as never,
  );
};
const manifest = (n: number) => ({
  ...{ v: 2, deploymentId: deploymentId(n), releaseId: deploymentId(n), runtimeId: deploymentId(n), publicFiles: [] },
  versioned: [`_next/own-${n}.js`, `_next/of-${n}-and-${n + 1}.js`, `_next/of-${n - 1}-and-${n}.js`],
});

type Here = {
  numbers: readonly number[];
  swept?: readonly number[];
  state?: Partial<Environment>;
  listed?: readonly number[];
  /** of which the log knows, and whose manifests are gone */
  gone?: readonly number[];
  /** of which the log knows, and that never came so far as to have versions */
  unpublished?: readonly number[];
  keys?: string[];
  aliases?: string[];
  /** of the environment, the oldest first */
  past?: readonly Pick<Recorded, "type" | "body" | "at">[];
};
const plan = async (here: Here, asked = {}) => {
  const { numbers, swept = [], state = {}, listed = numbers, gone = [], unpublished = [], keys = [], aliases = [], past = [] } = here;
  const texts = new Map(numbers.map((n) => [manifestKey(place.releases, deploymentId(n)), JSON.stringify(manifest(n))]));
  const streams = new Map([...numbers, ...gone].map((n) => [deploymentStream(deploymentId(n)), history(n, swept.includes(n))]));
  for (const n of unpublished)
    streams.set(
      deploymentStream(deploymentId(n)),
      history(n, false).filter(({ type }) => type !== "VersionsPublished"),
    );
  let looks = 0;
  const ports = {
    objects: {
      list: async () => listed.map((n) => manifestKey(place.releases, deploymentId(n))),
      getText: async (_: string, key: string) => texts.get(key),
      folders: async () => [],
      pages: async function* () {
        looks += 1;
        yield keys.map((key) => ({ key, bytes: 5 }));
      },
    },
    events: async (stream: string) => streams.get(stream) ?? [],
    aliases: async () => aliases,
    versions: async () => [],
    aggregates: { environment: { load: async () => ({ state: { ...initial(), ...state }, version: 1 }) } },
    back: async function* () {
      for (const event of past.toReversed()) yield { ...event, v: 1, stream: "environment/web/production", version: 1, actor: "ada" };
    },
    now: () => NOW,
  } as unknown as Ports;
  const found = await planOf(ports, place, asked);
  return { ...found, looks, going: found.going.map(({ deploymentId }) => deploymentId) };
};
const files = (things: readonly Parameters<typeof idOf>[0][]): string[] =>
  things.filter(({ kind }) => kind === "files").map(({ name }) => name.slice(assets.length + 1));
const live = (n: number): Partial<Environment> => ({ live: { sequence: n, deploymentId: deploymentId(n), release: release(n) } as never });

describe("what goes of an environment", () => {
  it("is first what was never swept: what cannot be taken keeps no other from its turn", async () => {
    const numbers = Array.from({ length: MAX_MARKED + 2 }, (_, n) => n + 1);
    const { going } = await plan({ numbers, swept: numbers.slice(0, MAX_MARKED) });
    expect(going).toHaveLength(MAX_MARKED);
    expect(going.slice(0, 3)).toEqual([MAX_MARKED + 1, MAX_MARKED + 2, 1].map((n) => deploymentId(n)));
  });

  it("is nothing where the manifest of what stays is gone: its files would be taken for what no release has", async () => {
    const keys = [`${assets}/_next/own-3.js`];
    const wasLive = new Map([[deploymentId(3), { deploymentId: deploymentId(3), sequence: 3, release: release(3) }]]);
    const wentLive = {
      type: "ReleaseWentLive",
      at: new Date(NOW - 3_600_000).toISOString(),
      body: { sequence: 3, deploymentId: deploymentId(3), release: release(3), reason: "deploy", actor: "ada", previous: null },
    };
    const routed = { deploymentId: deploymentId(3), route: { address: 3 }, ended: null } as never;
    const flip = { deploymentId: deploymentId(3) } as never;
    const needing: Partial<Environment>[] = [
      live(3),
      { waiting: flip },
      { open: new Map([[3, flip]]) },
      { routes: new Map([[deploymentId(3), routed]]) },
      { standing: [deploymentId(3)] },
      { everLive: wasLive },
      { kept: new Set([deploymentId(3)]) },
      { pinnedRelease: deploymentId(3) },
    ];
    const nothing = { lost: [deploymentId(3)], going: [], things: [], others: [] };
    for (const state of needing) expect(await plan({ numbers: [1], gone: [3], keys, state })).toMatchObject(nothing);
    expect(await plan({ numbers: [1], gone: [3], keys, past: [wentLive] })).toMatchObject(nothing);
    // it is there once more, or nobody is sent to it any more
    const over = { routes: new Map([[deploymentId(3), { ...(routed as object), ended: "window" } as never]]) };
    for (const here of [
      { numbers: [1, 3], listed: [1], state: live(3) },
      { numbers: [1], gone: [3], state: over },
      // kept by name, and never published; swept, and the window is wider since; it cannot go live any more
      { numbers: [1], unpublished: [3], state: { kept: new Set([deploymentId(3)]) } },
      { numbers: [1], gone: [3], swept: [3], past: [wentLive] },
      { numbers: [1], gone: [3], state: { everLive: wasLive, unfit: new Map([[deploymentId(3), "a part is gone"]]) } },
    ]) {
      const found = await plan({ ...here, keys });
      expect([found.lost, found.going]).toEqual([[], [deploymentId(1)]]);
    }
  });

  it("is not the address of a flip that came to nothing, for hours, or as long as the edge may lead there", async () => {
    const at = (hours: number): string => new Date(NOW - hours * 3_600_000).toISOString();
    const failed = (sequence: number, hours: number) => ({
      type: "FlipFailed",
      at: at(hours),
      body: { sequence, deploymentId: deploymentId(1), flip: "rollback", reason: "its mover died" },
    });
    const switched = (until: string) => ({
      type: "EdgeSwitched",
      at: at(1),
      body: {
        ...{ sequence: 13, deploymentId: deploymentId(2), distribution: "E1" },
        route: {
          ...{
            v: 1,
            sequence: 13,
            address: 13,
            release: deploymentId(2),
            host: ".lambda-url.eu-central-1.on.aws",
            server: "a",
            image: "b",
          },
          files: { set: "0123456789abcdef", rows: 0 },
        },
        ended: [{ release: deploymentId(1), until }],
      },
    });
    const strays = async (...past: NonNullable<Here["past"]>) => {
      const { others } = await plan({ numbers: [1, 2], aliases: ["r-12", "r-14"], past });
      return [...new Set(others.map(({ name }) => name.split(":")[1]))];
    };
    expect(await strays(failed(12, 3), switched(at(0)))).toEqual(["r-14"]);
    expect(await strays(failed(12, 5), switched(at(0)))).toEqual(["r-12", "r-14"]);
    expect(await strays(failed(12, 5), switched(at(-1)))).toEqual(["r-14"]);
  });

  it("is not what a release needs of which a version stays after all", async () => {
    const { things, thingsBut } = await plan({ numbers: [1, 2] });
    const version = things.find(({ kind, of }) => kind === "version" && of === deploymentId(1))?.name ?? "none";
    expect(files(things)).toContain("_next/of-1-and-2.js");
    const left = thingsBut(new Set([version]));
    expect(files(left)).toEqual(["_next/of-2-and-3.js", "_next/own-2.js"]);
    expect(left.filter(({ of }) => of === deploymentId(1))).toEqual([]);
    expect(thingsBut(new Set())).toEqual(things);
  });

  it("lists no files where somebody has right before", async () => {
    const key = `${assets}/_next/lost.js`;
    const listed = await plan({ numbers: [1], keys: [key] });
    const told = await plan({ numbers: [1] }, { files: new Map([[key, 5]]) });
    for (const { others, sizes, files: bytes } of [listed, told])
      expect([files(others), sizes.get(key), bytes.get(key)]).toEqual([["_next/lost.js"], 5, 5]);
    expect([listed.looks, told.looks]).toEqual([1, 0]);
  });
});
