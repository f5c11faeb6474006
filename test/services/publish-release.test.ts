import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { Release } from "../../domain/deployment/shapes.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { MAX_CLOCK_SKEW_MS } from "../../domain/kernel/position.ts";
import type { Inspected, Package } from "../../engine/open-next/inspect.ts";
import { OutputRefused } from "../../engine/open-next/output.ts";
import { ArchiveRefused } from "../../engine/zip/archive.ts";
import { PublishRefused } from "../../services/publish-release/publish-function.ts";
import { type Ports, publishRelease } from "../../services/publish-release/publish-release.ts";
import { heldTable } from "../support/held-edge.ts";
import { assets, at, deploymentId, functions, release } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

/** A build that was unpacked, with these functions. */
const inspected = (root: string, id: string, packages: Package[]): Inspected => ({
  root,
  paths: { base: "", versioned: "_next", prefix: "" },
  packages,
  buildId: id,
  runtimeId: id,
  preview: null,
  warnings: [],
});

const files = { set: "0123456789abcdef", rows: 0, paths: "" };

/** Deployment n of a site of its own, built: what its publishing does, and how its parts can be made to fail. */
const stage = async (
  n: number,
  change: Partial<Ports> = {},
  /** what happens first in a step */
  meanwhile: { readonly [step in "inspect" | "uploadAssets" | "publish"]?: () => Promise<unknown> } = {},
  /** the site of another stage of it, whose deployment this one takes up too */
  shared?: string,
) => {
  const site = shared ?? `publish-${n}`;
  const { admit, queue, began, built, stream } = steps(n, site);
  if (shared === undefined) {
    await room.environment(site, admit);
    await room.deployment(n, queue(1), began, built);
  }
  const did: string[] = [];
  const packages = functions(n).map(({ role }): Package => ({ role, handler: "index.handler", folder: role }));
  const ports: Ports = {
    aggregates: room.aggregates,
    site: () => siteConfigOf(site, "production"),
    withBuild: ({ key }, use) => {
      did.push(`unpacked ${key}`);
      return use({ root: "root", held: [] });
    },
    inspect: async ({ root }, releaseId) => {
      await meanwhile.inspect?.();
      return inspected(root, releaseId, packages);
    },
    uploadAssets: async () => {
      await meanwhile.uploadAssets?.();
      did.push("uploaded");
      const { tags: _, ...recorded } = assets;
      return { recorded, files, rows: [] };
    },
    tagSeeds: async () => [{ tag: "home", path: "/", revalidatedAt: "1" }],
    seedTags: async (_, seeds) => void did.push(`seeded ${seeds.length}`),
    secrets: async () => ({ values: {}, version: "v1", fingerprints: { API_URL: "0123456789abcdef" } }),
    publish: async (_site, _build, { role }) => {
      await meanwhile.publish?.();
      did.push(`published ${role}`);
      return functions(n).find((one) => one.role === role) ?? expect.unreachable();
    },
    invoke: async (name, version) => {
      did.push(`checked ${name}:${version}`);
      return { version, failed: null, payload: '{"statusCode":200}' };
    },
    hasAsset: async () => true,
    addresses: {
      make: async ({ name, alias, version }) => {
        did.push(`addressed ${name}:${version} as ${alias}`);
        return `https://abc.lambda-url.eu-west-1.on.aws/`;
      },
    },
    edgeTable: heldTable().table,
    clock: room.clock,
    progress: () => () => undefined,
    now: room.clock.now,
    ...change,
  };
  const deliver = async (givesUp = false): Promise<void> =>
    publishRelease(ports)(await room.newest<Recorded<Subscribed<"publish-release">>>(stream, "BuildSucceeded"), {
      last: false,
      receives: 1,
      message: "m1",
      givesUp: () => givesUp,
    });
  /** what was written since it was built */
  const wrote = async (): Promise<string[]> => (await room.typesOf(stream)).slice(3);
  return { site, did, deliver, wrote, newest: (type: string) => room.newest(stream, type) };
};

const UNPACKED = (n: number): string => `unpacked builds/${n}/output.zip`;

describe("publish-release", () => {
  it("uploads beside the files of what is live", async () => {
    const beside: unknown[] = [];
    const uploadAssets: Ports["uploadAssets"] = async (_site, _build, { live }) => {
      beside.push(live);
      const { tags: _, ...recorded } = assets;
      return { recorded, files, rows: [] };
    };
    const first = await stage(131, { uploadAssets });
    await first.deliver();
    await room.environment(first.site, steps(131, first.site).flip(1), { type: "RecordWentLive", sequence: 1 });
    const { admit, queue, began, built } = steps(132, first.site);
    await room.environment(first.site, admit);
    await room.deployment(132, queue(2), began, built);
    await (await stage(132, { uploadAssets }, {}, first.site)).deliver();
    expect(beside).toEqual([undefined, release(131).manifest]);
  });

  describe("while old releases of its environment are being taken away", () => {
    const swept = async (n: number, change: Partial<Ports> = {}) => {
      const staged = await stage(n, change);
      const keep = { releases: 1, days: 0, window: 0 };
      const others = { named: ["version web-production-server:1"], files: 0 };
      const list = { list: "sweeps/list.json", digest: "d".repeat(64), sweepAfter: at() };
      await room.environment(staged.site, { type: "MarkReleases", keep, releases: [], others, ...list });
      const claims = { after: at(), upTo: at() };
      await room.environment(staged.site, {
        type: "BeginSweep",
        mark: 1,
        keep,
        releases: [],
        until: at(20),
        at: at(),
        claims,
        flipped: null,
      });
      return staged;
    };
    const putOff = (site: string) => room.environment(site, { type: "PutOffSweep", mark: 1, reason: "this is being published" });

    it("waits until that is over, and goes on at once", async () => {
      const slept: number[] = [];
      const sleep = async (ms: number): Promise<void> => {
        slept.push(ms);
        if (slept.length === 3) await putOff(site);
      };
      const { site, deliver, wrote } = await swept(143, { clock: { ...room.clock, sleep } });
      await deliver();
      expect([slept, await wrote()]).toEqual([[2_000, 2_000, 2_000], expect.arrayContaining(["ChecksPassed"])]);
    });

    it("comes again after the claim where it is not over within half a minute, and has done nothing until then", async () => {
      const { site, did, deliver, wrote } = await swept(144);
      await expect(deliver()).rejects.toMatchObject({
        name: "NotYet",
        // the claim, and what clocks may differ by
        seconds: 20 + MAX_CLOCK_SKEW_MS / 1_000,
        message: `old releases of ${site}/production are being swept`,
      });
      expect([did, await wrote()]).toEqual([[], []]);
      await putOff(site);
      await deliver();
      expect(await wrote()).toContain("ChecksPassed");
    });
  });

  it("goes by the versions that were recorded first: an address that another publisher made never moves", async () => {
    const addressed: string[] = [];
    const addresses = {
      make: async ({ name, version }: { name: string; version: string }) => {
        addressed.push(`${name}:${version}`);
        return "https://abc.lambda-url.eu-west-1.on.aws/";
      },
    };
    let published = 0;
    // another delivery, which has read other values of the secret, publishes other versions and is the first to say so
    const publish: Ports["publish"] = async (_site, _build, { role }) => {
      published += 1;
      if (published === 1) await other.deliver();
      return { ...(functions(9).find((one) => one.role === role) ?? expect.unreachable()), version: "77" };
    };
    const other = await stage(9, { addresses });
    const slow = await stage(9, { addresses, publish }, {}, other.site);
    await slow.deliver();
    const own = functions(9).map(({ name, version }) => `${name}:${version}`);
    expect(new Set(addressed)).toEqual(new Set(own.filter((one) => one.includes("server"))));
    expect((await slow.newest("ChecksPassed")).body).toMatchObject({ release: { functions: functions(9) } });
  });

  it("uploads the files, publishes every function and checks each, in this order; again it does nothing", async () => {
    const { did, deliver, wrote, newest } = await stage(1);
    await deliver();
    expect(did).toEqual([
      UNPACKED(1),
      "uploaded",
      "seeded 1",
      "published revalidation",
      "published server",
      "addressed web-production-server:1 as r-1",
      "checked web-production-revalidation:1",
      "checked web-production-server:1",
    ]);
    expect(await wrote()).toEqual(["ReleaseStarted", "AssetsPublished", "VersionsPublished", "ChecksPassed"]);
    expect((await newest("ChecksPassed")).body).toMatchObject({
      release: { id: deploymentId(1), functions: functions(1), manifest: assets.manifest, address: 1, files },
      checks: [{ role: "revalidation" }, { role: "server", version: "1", path: "/", status: 200 }],
    });
    expect((await newest("VersionsPublished")).body).toMatchObject({ variables: { API_URL: "0123456789abcdef" } });
    did.length = 0;
    await deliver();
    expect(did).toEqual([]);
  });

  it("has failed where a single check fails, and says which and why", async () => {
    const { deliver, wrote, newest } = await stage(2, {
      invoke: async (name, version) => ({ version, failed: null, payload: `{"statusCode":${name.endsWith("-server") ? 500 : 200}}` }),
    });
    await deliver();
    expect((await wrote()).slice(-2)).toEqual(["ChecksFailed", "DeploymentFailed"]);
    expect((await newest("DeploymentFailed")).body).toEqual({
      step: "check",
      reason: "web-production-server:2 did not pass its check (GET /): it answered 500",
    });
  });

  it("has failed where a page behind redirects names a script that was not uploaded, and not where all are there", async () => {
    const led: Readonly<Record<string, string>> = { "/": "/en", "/en": "/en/home" };
    const page = (path: string) => {
      const html = { "content-type": "text/html" };
      const body = '<script src="/_next/static/there.js"></script><script src="/_next/static/gone.js"></script>';
      const location = led[path];
      return location === undefined ? { statusCode: 200, headers: html, body } : { statusCode: 307, headers: { location } };
    };
    const invoke: Ports["invoke"] = async (name, version, payload) => {
      const { rawPath = "" } = payload as { rawPath?: string };
      return { version, failed: null, payload: JSON.stringify(name.endsWith("-server") ? page(rawPath) : { statusCode: 200 }) };
    };
    const broken = await stage(120, { invoke, hasAsset: async (_site, path) => !path.endsWith("gone.js") });
    await broken.deliver();
    expect((await broken.newest("DeploymentFailed")).body).toMatchObject({
      step: "check",
      reason: expect.stringContaining("its page names /_next/static/gone.js, and the build has no such file"),
    });
    const whole = await stage(121, { invoke });
    await whole.deliver();
    expect((await whole.wrote()).at(-1)).toBe("ChecksPassed");
  });

  it("is not started for what is history: something newer was chosen", async () => {
    const { site, did, deliver, wrote, newest } = await stage(3);
    const newer = steps(103, site);
    await room.environment(site, newer.admit, newer.flip(2));
    await deliver();
    expect(did).toEqual([]);
    expect(await wrote()).toEqual(["DeploymentSuperseded"]);
    expect((await newest("DeploymentSuperseded")).body).toEqual({ by: { sequence: 2 } });
  });

  it("is not its own history: another delivery may have brought it as far as its flip meanwhile", async () => {
    const { site, deliver, wrote } = await stage(4);
    await room.environment(site, steps(4, site).flip(1));
    await deliver();
    expect(await wrote()).not.toContain("DeploymentSuperseded");
  });

  it.each([
    ["before its release began", "inspect", []],
    ["while its files were uploaded", "uploadAssets", ["ReleaseStarted"]],
    ["while its functions were published", "publish", ["ReleaseStarted", "AssetsPublished"]],
  ] as const)("goes no further for what was cancelled %s", async (_, step, written) => {
    const n = 10 + written.length;
    const here = await stage(n, {}, { [step]: () => room.deployment(n, { type: "FailDeployment", step: "publish", reason: "too late" }) });
    await here.deliver();
    expect(await here.wrote()).toEqual([...written, "DeploymentFailed"]);
    const after = { inspect: "uploaded", uploadAssets: "published", publish: "checked" }[step];
    expect(here.did.filter((what) => what.startsWith(after))).toEqual([]);
  });

  it("is refused before anything is written where its server does not answer as the site's address does", async () => {
    const { did, deliver, wrote, newest } = await stage(23, {
      site: () => ({ ...siteConfigOf("publish-23", "production"), streaming: true }),
    });
    await deliver();
    expect(await wrote()).toEqual(["DeploymentFailed"]);
    expect(did).toEqual([UNPACKED(23)]);
    expect((await newest("DeploymentFailed")).body).toMatchObject({
      reason: expect.stringMatching(/^the build does not fit the site: its server gives whole answers and .*"aws-lambda-streaming"/),
    });
  });

  it("is refused with split functions below another basePath than the edge was made for, and published without any", async () => {
    const patterns = ["api/*"];
    const api: Package = { role: "server-api", handler: "index.handler", folder: "api", patterns };
    const below = (n: number, split: Package[]) =>
      stage(n, {
        site: () => ({ ...siteConfigOf(`publish-${n}`, "production"), basePath: "", functions: split.length > 0 ? { api: patterns } : {} }),
        inspect: async ({ root }, id) => ({
          ...inspected(root, id, [
            ...functions(n).map(({ role }): Package => ({ role, handler: "index.handler", folder: role })),
            ...split,
          ]),
          paths: { base: "docs", versioned: "_next", prefix: "" },
        }),
      });
    const refused = await below(133, [api]);
    await refused.deliver();
    expect((await refused.newest("DeploymentFailed")).body).toMatchObject({ reason: expect.stringContaining('set "basePath": "/docs"') });
    const published = await below(134, []);
    await published.deliver();
    expect((await published.newest("ChecksPassed")).body).toMatchObject({ release: { basePath: "docs" } });
  });

  it("says of a server that streams that it does, and of the other functions nothing", async () => {
    const packages = functions(24).map(
      ({ role }): Package => ({ role, handler: "index.handler", folder: role, ...(role === "server" && { streaming: true }) }),
    );
    const { deliver, newest } = await stage(24, {
      site: () => ({ ...siteConfigOf("publish-24", "production"), streaming: true }),
      inspect: async ({ root }, id) => inspected(root, id, packages),
      invoke: async (_, version) => ({ version, failed: null, payload: `{"statusCode":200}${"\0".repeat(8)}<html>` }),
    });
    await deliver();
    const { release } = (await newest("ChecksPassed")).body as { release: Release };
    expect(release.functions.map(({ role, streaming }) => [role, streaming])).toEqual([
      ["revalidation", undefined],
      ["server", true],
    ]);
  });

  it("publishes no more than three functions at once, whose packed code would fill the disk, and keeps their order", async () => {
    const split = ["a", "b", "c", "d", "e", "f"].map((name) => `server-${name}` as const);
    const paths = Object.fromEntries(split.map((role) => [role.slice("server-".length), [`${role}/*`]]));
    const packages = [...split, "server" as const].map(
      (role): Package => ({ role, handler: "index.handler", folder: role, ...(role !== "server" && { patterns: [`${role}/*`] }) }),
    );
    let running = 0;
    let most = 0;
    const { deliver, newest } = await stage(25, {
      site: () => ({ ...siteConfigOf("publish-25", "production"), functions: paths }),
      inspect: async ({ root }, id) => inspected(root, id, packages),
      publish: async (_site, _build, { role }) => {
        most = Math.max(most, ++running);
        // the first is the last to be done
        for (let turns = role === "server-a" ? 100 : 10; turns > 0; turns--) await Promise.resolve();
        running -= 1;
        return { ...(functions(25).find((one) => one.role === "server") ?? expect.unreachable()), role };
      },
    });
    await deliver();
    expect(most).toBe(3);
    const { functions: published } = (await newest("VersionsPublished")).body as { functions: { role: string }[] };
    expect(published.map(({ role }) => role)).toEqual([...split, "server"]);
  });

  it.each([
    ["its output", new OutputRefused("it has no sharp"), "it has no sharp"],
    ["its code", new PublishRefused("Lambda refused it"), "Lambda refused it"],
    ["its archive", new ArchiveRefused("unsafe-name", "../x", "it climbs out"), 'the build\'s artifact is refused: "../x": it climbs out'],
  ])("has failed at once where %s is refused", async (what, refusal, reason) => {
    const n = { "its output": 20, "its code": 21, "its archive": 22 }[what] ?? 0;
    const { deliver, newest } = await stage(n, { withBuild: () => Promise.reject(refusal) });
    await deliver();
    expect((await newest("DeploymentFailed")).body).toEqual({ step: "publish", reason });
  });

  it("comes again after what may pass, and has failed with its reason once it is given up; the queue hears of both", async () => {
    const { deliver, wrote, newest } = await stage(30, { uploadAssets: () => Promise.reject(new Error("S3 is away")) });
    await expect(deliver()).rejects.toThrow("S3 is away");
    expect(await wrote()).toEqual(["ReleaseStarted"]);
    await expect(deliver(true)).rejects.toThrow("S3 is away");
    expect((await newest("DeploymentFailed")).body).toEqual({
      step: "publish",
      reason: "gave up: S3 is away; retry it, nothing is built again",
    });
  });

  it("writes the tags of a release once, however often it begins anew", async () => {
    const { did, deliver, wrote } = await stage(31, {}, { publish: () => Promise.reject(new Error("Lambda is away")) });
    await expect(deliver()).rejects.toThrow("Lambda is away");
    await expect(deliver()).rejects.toThrow("Lambda is away");
    expect(did.filter((what) => what === "seeded 1")).toHaveLength(1);
    expect(await wrote()).toEqual(["ReleaseStarted", "AssetsPublished"]);
  });

  it("has failed where its environment is not declared any more", async () => {
    const { did, deliver, newest } = await stage(32, { site: () => undefined });
    await deliver();
    expect(did).toEqual([]);
    expect((await newest("DeploymentFailed")).body).toMatchObject({ reason: "publish-32/production is not declared any more" });
  });
});
