import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Subscribed } from "../../blueprint/topology.ts";
import { describe as describeFence, type FoundAlias, UNMOVED } from "../../domain/environment/fence.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { flipAlias } from "../../services/flip-alias/flip-alias.ts";
import { publicFiles } from "../../services/flip-alias/public-files.ts";
import { deploymentId, functions, release } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { unsettledFlips } from "../support/unsettled.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const FILES = 400;
const places = { bucket: "static", assets: "assets", publicFiles: "public" };
const NAMES = functions(1).map(({ name }) => name);

/** A site with many public files, whose content is the number of the deployment that put them. */
const site = (name: string) => {
  const objects = new Map<string, string>();
  const writes: string[] = [];
  let onWrite: (() => Promise<void>) | undefined;
  let onLoad: (() => Promise<void>) | undefined;
  let onLook: (() => Promise<void>) | undefined;
  let onManifest: ((key: string) => void | Promise<void>) | undefined;
  const files = publicFiles({
    fingerprint: async (_bucket, key) => {
      const found = objects.get(key);
      await onLook?.();
      return found;
    },
    getText: async (_bucket, key) => {
      await onManifest?.(key);
      return objects.get(key);
    },
    copy: async (_bucket, _from, to, sha256) => {
      await onWrite?.();
      writes.push(sha256);
      objects.set(to, sha256);
    },
    remove: async (_bucket, keys) => {
      for (const key of keys) objects.delete(key);
    },
  });
  const aliases = new Map<string, FoundAlias>(NAMES.map((fn) => [fn, { version: "0", description: describeFence(UNMOVED) }]));
  const at = (fn: string) => ({ ...(aliases.get(fn) as FoundAlias), revisionId: JSON.stringify(aliases.get(fn)) });
  const leases = new Map<string, { holder: string; until: number }>();
  let now = 0;
  let isAway = false;
  const sleep = async (ms: number): Promise<void> => {
    now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
  const unsettled = unsettledFlips();
  const flip = flipAlias({
    ...room,
    aggregates: {
      ...room.aggregates,
      environment: {
        ...room.aggregates.environment,
        load: async (of, environment) => {
          const found = await room.aggregates.environment.load(of, environment);
          await onLoad?.();
          return found;
        },
      },
    },
    unsettled,
    clock: { now: () => now, sleep, random: Math.random },
    leases: {
      takeLease: async (of, holder, asked, until) => {
        const held = leases.get(of);
        if (held !== undefined && held.until >= asked && held.holder !== holder) return false;
        leases.set(of, { holder, until });
        return true;
      },
      giveLease: async (of, holder) => void (leases.get(of)?.holder === holder && leases.delete(of)),
    },
    site: () => siteConfigOf(name, "production"),
    files: {
      put: (_site, manifest, writer) => files.put(places, manifest, writer),
      removeOthers: (_site, manifest, other, writer) => files.removeOthers(places, manifest, other, writer),
    },
    functions: {
      alias: async (fn) => at(fn),
      get: async () => undefined,
      moveAlias: async (fn, _alias, to) => {
        aliases.set(fn, to);
        return at(fn);
      },
      invoke: async (fn, qualifier) => {
        if (qualifier === "live" && isAway) throw new Error("Lambda is away");
        return {
          version: qualifier === "live" ? at(fn).version : qualifier,
          failed: null,
          payload: '{"statusCode":200}',
        };
      },
    },
  });
  const asks = async (n: number): Promise<Recorded<Subscribed<"flip-alias">>> => {
    const paths = [...Array.from({ length: FILES }, (_, file) => `file-${file}.txt`), `only-${n}.txt`];
    const publicFiles = paths.map((path) => ({ path, sha256: String(n), bytes: 1, contentType: "text/plain", cacheControl: "" }));
    objects.set(
      release(n).manifest,
      JSON.stringify({ v: 1, deploymentId: deploymentId(n), releaseId: deploymentId(n), behaviors: [], publicFiles }),
    );
    objects.set(`public/${n}`, String(n));
    const { admit, queue, began, built, published, flip: request, place } = steps(n, name);
    await room.environment(name, admit);
    await room.deployment(n, queue(n), began, built, ...published);
    await room.environment(name, request(n));
    return room.newest(place, "FlipRequested");
  };
  const deliver = async (event: Recorded<Subscribed<"flip-alias">>, { again = false, givesUp = false } = {}): Promise<void> => {
    // what an earlier delivery has noted
    if (again) await unsettled.note(event.stream, (event.body as { sequence: number }).sequence);
    await flip(event, { message: "m1", last: givesUp, receives: again ? 2 : 1, givesUp: () => givesUp });
  };
  return {
    asks,
    deliver,
    failsVerifying: () => {
      isAway = true;
    },
    verifiesAgain: () => {
      isAway = false;
    },
    /** so much time goes by */
    passes: async (ms: number) => {
      now += ms;
    },
    /** what happens after each reading of the environment, before its answer comes */
    afterEachLoad: (act: typeof onLoad) => {
      onLoad = act;
    },
    leases,
    unsettled: unsettled.noted,
    /** what happens right before each write of a file */
    beforeEachWrite: (act: typeof onWrite) => {
      onWrite = act;
    },
    /** what happens after each look at a file, before its answer comes */
    afterEachLook: (act: typeof onLook) => {
      onLook = act;
    },
    beforeEachManifest: (act: typeof onManifest) => {
      onManifest = act;
    },
    writtenBy: (n: number) => writes.filter((by) => by === String(n)).length,
    contents: () => new Set([...objects].flatMap(([key, by]) => (key.startsWith("assets/") ? [by] : []))),
    count: () => [...objects.keys()].filter((key) => key.startsWith("assets/")).length,
    paths: () => [...objects.keys()].filter((key) => key.startsWith("assets/only-")),
    types: () => room.typesOf(steps(1, name).place),
  };
};

describe("a flip that is overtaken while it puts public files", () => {
  it("stops within a batch, and leaves nothing of its own behind", async () => {
    const here = site("overtaken");
    const older = await here.asks(201);
    const newer = Promise.withResolvers<void>();
    let writes = 0;
    here.beforeEachWrite(async () => {
      writes += 1;
      if (writes !== 60) return;
      here.beforeEachWrite(undefined);
      const event = await here.asks(202);
      newer.resolve(here.deliver(event));
    });
    await here.deliver(older);
    await newer.promise;
    expect(here.writtenBy(201)).toBeLessThanOrEqual(100);
    expect(here.contents()).toEqual(new Set(["202"]));
    expect(here.paths()).toEqual(["assets/only-202.txt"]);
    expect((await here.types()).slice(-1)).toEqual(["ReleaseWentLive"]);
    expect(await here.types()).toContain("FlipSuperseded");
    expect(here.leases.size).toBe(0);
  });
  it("writes nothing any more once the newer one is live, though it stood still meanwhile", async () => {
    const here = site("stood-still");
    const older = await here.asks(211);
    const wakes = Promise.withResolvers<void>();
    const stands = Promise.withResolvers<void>();
    let writes = 0;
    here.beforeEachWrite(async () => {
      writes += 1;
      if (writes > 32) return;
      if (writes === 32) stands.resolve();
      await wakes.promise;
    });
    const late = here.deliver(older);
    await stands.promise;
    await here.deliver(await here.asks(212));
    expect(here.contents()).toEqual(new Set(["212"]));
    wakes.resolve();
    await late;
    expect(here.writtenBy(211)).toBeLessThanOrEqual(50);
    expect(here.contents()).toEqual(new Set(["212"]));
    expect(here.paths()).toEqual(["assets/only-212.txt"]);
  });
  it("writes nothing at all once its turn is over: what looked before it stood still does not count", async () => {
    const here = site("turn-over");
    const older = await here.asks(231);
    const wakes = Promise.withResolvers<void>();
    const stands = Promise.withResolvers<void>();
    let looks = 0;
    here.afterEachLook(async () => {
      looks += 1;
      if (looks > 32) return;
      if (looks === 32) stands.resolve();
      await wakes.promise;
    });
    const late = here.deliver(older);
    await stands.promise;
    await here.deliver(await here.asks(232));
    wakes.resolve();
    await late;
    expect(here.writtenBy(231)).toBe(0);
    expect(here.contents()).toEqual(new Set(["232"]));
  });
  it.each([
    ["before it begins", 240],
    ["while it looks at them", 250],
  ])("leaves nothing of what an older one has put for it, overtaken %s", async (when, n) => {
    const here = site(`put-by-another-${n}`);
    const oldest = await here.asks(n);
    const older = await here.asks(n + 1);
    await here.deliver(oldest, { again: true });
    expect(here.contents()).toEqual(new Set([String(n + 1)]));
    const newest = Promise.withResolvers<Recorded<Subscribed<"flip-alias">>>();
    const overtake = async (): Promise<void> => {
      here.afterEachLook(undefined);
      newest.resolve(await here.asks(n + 2));
    };
    if (when === "before it begins") await overtake();
    else here.afterEachLook(overtake);
    await here.deliver(older);
    await here.deliver(await newest.promise);
    expect(here.contents()).toEqual(new Set([String(n + 2)]));
    expect(here.paths()).toEqual([`assets/only-${n + 2}.txt`]);
  });
});

it("a flip whose deployment was cancelled takes back the files that an older one has put for it", async () => {
  const here = site("cancelled");
  await here.deliver(await here.asks(261));
  const older = await here.asks(262);
  const cancelled = await here.asks(263);
  await here.deliver(older, { again: true });
  expect(here.contents()).toContain("263");
  await room.deployment(263, steps(263, "cancelled").cancel);
  await here.deliver(cancelled);
  expect((await here.types()).at(-1)).toBe("FlipFailed");
  expect(here.contents()).toEqual(new Set(["261"]));
  expect(here.paths()).toEqual(["assets/only-261.txt"]);
});

it("a flip comes again where it could not read what the release before had, and takes that away then", async () => {
  const here = site("slow-down");
  await here.deliver(await here.asks(271));
  const event = await here.asks(272);
  here.beforeEachManifest((key) => {
    if (key === release(271).manifest) throw new Error("SlowDown");
  });
  await expect(here.deliver(event)).rejects.toThrow("SlowDown");
  expect((await here.types()).at(-1)).toBe("ReleaseWentLive");
  here.beforeEachManifest(undefined);
  // as a message that somebody sends again: nothing about it says that it came before
  await here.deliver(event);
  expect(here.paths()).toEqual(["assets/only-272.txt"]);
  expect([...here.unsettled]).toEqual([]);
  here.beforeEachManifest((key) => {
    throw new Error(`${key} is read though everything is settled`);
  });
  await here.deliver(event);
});

it("a flip that was given up is not settled where its files could not be taken back, and whoever comes next does it", async () => {
  const here = site("given-up");
  await here.deliver(await here.asks(291));
  const event = await here.asks(292);
  here.failsVerifying();
  here.beforeEachManifest((key) => {
    if (here.contents().has("292") && key === release(291).manifest) throw new Error("SlowDown");
  });
  await expect(here.deliver(event, { givesUp: true })).rejects.toThrow("SlowDown");
  expect(await here.types()).toContain("FlipFailed");
  expect(here.paths()).toContain("assets/only-292.txt");
  // 293 is the flip that restores what was live: its files may be there already
  expect([...here.unsettled]).toEqual([`${event.stream} 292`, `${event.stream} 293`]);
  here.beforeEachManifest(undefined);
  await here.deliver(event);
  expect(here.paths()).not.toContain("assets/only-292.txt");
  expect([...here.unsettled]).toEqual([`${event.stream} 293`]);
});

it("a first flip that fails leaves no file: nothing is live", async () => {
  const here = site("first");
  here.failsVerifying();
  const event = await here.asks(295);
  await expect(here.deliver(event, { givesUp: true })).rejects.toThrow("Lambda is away");
  expect((await here.types()).at(-1)).toBe("FlipFailed");
  expect(here.contents()).toEqual(new Set());
  expect([...here.unsettled]).toEqual([]);
});

it("takes nothing away that became live while it stood still over the question whether it may", async () => {
  const here = site("stood-still-settling");
  here.failsVerifying();
  const failing = await here.asks(301);
  const wakes = Promise.withResolvers<void>();
  const stands = Promise.withResolvers<void>();
  let looks = 0;
  here.afterEachLoad(async () => {
    // once it has failed: it looks what is live, and then asks whether it may still write
    if (!here.contents().has("301") || (await here.types()).at(-1) !== "FlipFailed" || ++looks < 2) return;
    here.afterEachLoad(undefined);
    stands.resolve();
    await wakes.promise;
    await here.passes(60_000);
  });
  const late = here.deliver(failing, { givesUp: true }).catch(() => undefined);
  await stands.promise;
  here.verifiesAgain();
  here.leases.clear();
  await here.deliver(await here.asks(302));
  expect(here.contents()).toContain("302");
  wakes.resolve();
  await late;
  expect(here.contents()).toEqual(new Set(["302"]));
  expect(here.paths()).toEqual(["assets/only-302.txt"]);
  expect(here.count()).toBe(FILES + 1);
});

it("puts files once, however many deliveries of one flip come at the same time", async () => {
  const here = site("twice");
  const event = await here.asks(221);
  let at = 0;
  let most = 0;
  here.beforeEachWrite(async () => {
    most = Math.max(most, ++at);
    await new Promise((resolve) => setImmediate(resolve));
    at -= 1;
  });
  await Promise.all([here.deliver(event), here.deliver(event), here.deliver(event, { again: true })]);
  expect(here.writtenBy(221)).toBe(FILES + 1);
  expect(most).toBeLessThanOrEqual(32);
});

it("a flip that is overtaken while it settles takes away what was live before it", async () => {
  const here = site("overtaken-late");
  await here.deliver(await here.asks(281));
  const older = await here.asks(282);
  const newest = Promise.withResolvers<Recorded<Subscribed<"flip-alias">>>();
  here.beforeEachManifest(async (key) => {
    if (key !== release(281).manifest) return;
    here.beforeEachManifest(undefined);
    newest.resolve(await here.asks(283));
  });
  await here.deliver(older);
  await here.deliver(await newest.promise);
  expect(here.paths()).toEqual(["assets/only-283.txt"]);
});

it("a flip that ended without having run leaves no file that an older one put for it", async () => {
  const here = site("never-ran");
  await here.deliver(await here.asks(401));
  const older = await here.asks(402);
  const newest = await here.asks(403);
  here.failsVerifying();
  await here.deliver(older, { givesUp: true }).catch(() => undefined);
  expect(here.paths()).toContain("assets/only-403.txt");
  const { aggregates } = room;
  const failed = { type: "RecordFlipFailed", sequence: 403, reason: "it did not end within 100 minutes", moved: false } as const;
  await aggregates.environment.execute("never-ran", "production", failed, { cause: "test/403", correlation: "test", actor: "test" });
  expect([...here.unsettled]).toContain(`${newest.stream} 403`);
  await here.deliver(newest);
  expect(here.paths()).not.toContain("assets/only-403.txt");
  expect([...here.unsettled]).not.toContain(`${newest.stream} 403`);
});
