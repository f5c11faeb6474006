import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stepReceives } from "../../blueprint/topology.ts";
import { describe as describeFence } from "../../domain/environment/fence.ts";
import { isOutage } from "../../engine/aws/errors.ts";
import { flipRoom } from "../support/flip-room.ts";
import { at, deploymentId, functions, throttled } from "../support/samples.ts";
import { startVerbRoom, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const [revalidation, server] = functions(1).map(({ name }) => name) as [string, string];
type Here = ReturnType<typeof flipRoom>;

/** Lambda has no room for these qualifiers of every function. */
const floods = (here: Here, isFlooded: (qualifier: string, fn: string) => boolean = () => true): void =>
  here.answers((itself) => async (fn, qualifier, payload) => {
    if (isFlooded(qualifier, fn)) throw throttled();
    return itself(fn, qualifier, payload);
  });
const calm = (here: Here): void => here.answers((itself) => itself);
const unprovenOf = async (here: Here): Promise<unknown> => ((await here.newest("ReleaseWentLive")).body as { unproven?: string }).unproven;
/** Deployments `first` and the next are live, and a rollback to the first is asked for. */
const rollsBack = async (here: Here, first: number, forced = false) => {
  for (const n of [first, first + 1]) {
    await here.asks(n);
    await here.delivers();
  }
  here.did.length = 0;
  await room.environment(here.place.split("/")[1] ?? "", {
    type: "RequestRollback",
    to: deploymentId(first),
    actor: "ada",
    at: at(),
    ...(forced && { force: true }),
  });
};
/** As the consumer does. */
const givesUp =
  (receives: number) =>
  (error: unknown, idle = 0): boolean =>
    receives >= 24 || (receives - idle >= stepReceives && !isOutage(error));

describe("a rollback while every execution of the account is taken", () => {
  it.each([false, true])("goes through at its second delivery, and the log says what was not seen; forced: %s", async (forced) => {
    const here = flipRoom(room, `flood-${forced}`);
    await rollsBack(here, forced ? 111 : 101, forced);
    floods(here);
    await expect(here.delivers({ receives: 1, givesUp: givesUp(1) })).rejects.toThrow("Lambda refused to run");
    expect(here.did).toEqual([]);
    await here.delivers({ receives: 2, givesUp: givesUp(2) });
    expect(here.did.filter((what) => what.startsWith("moved"))).toHaveLength(2);
    const version = forced ? "111" : "101";
    expect(await unprovenOf(here)).toBe(
      [`${revalidation}:${version}`, `${server}:${version}`, `${revalidation}:live`, `${server}:live`]
        .map((which) => `Lambda refused to run ${which}: the executions of the account are used up`)
        .join("; "),
    );
  });

  it("fails where its version is gone", async () => {
    const here = flipRoom(room, "swept");
    await rollsBack(here, 121);
    floods(here);
    here.gone.add(server);
    await here.delivers({ receives: 1, givesUp: givesUp(1) });
    expect((await here.newest("FlipFailed")).body).toMatchObject({
      unfit: true,
      reason: expect.stringContaining("does not exist any more"),
    });
    expect(here.did.filter((what) => what.startsWith("moved"))).toEqual([]);
  });

  it("has all of its own tries after those that found no room", async () => {
    const here = flipRoom(room, "tries");
    await rollsBack(here, 131);
    floods(here);
    await expect(here.delivers({ receives: 1, givesUp: givesUp(1) })).rejects.toThrow("Lambda refused to run");
    here.answers(() => async (fn, version) => ({ version, failed: fn === server ? "Unhandled" : null, payload: '{"statusCode":200}' }));
    // its first fault: it is tried once more
    await expect(here.delivers({ receives: 2, givesUp: givesUp(2) })).rejects.toThrow("does not work: it failed");
    await here.delivers({ receives: 3, givesUp: givesUp(3) });
    expect((await here.types()).filter((type) => type === "FlipFailed")).toHaveLength(1);
  });
});

describe("a deployment while every execution of the account is taken", () => {
  it("goes live when there is room again, however often there was none", async () => {
    const here = flipRoom(room, "deploys");
    await here.asks(201);
    floods(here);
    for (let receives = 1; receives <= stepReceives + 2; receives++)
      await expect(here.delivers({ receives, givesUp: givesUp(receives) })).rejects.toThrow("Lambda refused to run");
    expect(here.did).toEqual([]);
    calm(here);
    await here.delivers({ receives: stepReceives + 3, givesUp: givesUp(stepReceives + 3) });
    expect(await unprovenOf(here)).toBeUndefined();
  });

  it("is tried twice by a message, whatever one before it, which the reconciler sent too, found", async () => {
    const here = flipRoom(room, "sent-twice");
    await here.asks(281);
    floods(here);
    for (let receives = 1; receives <= 3; receives++)
      await expect(here.delivers({ message: "first", receives, givesUp: givesUp(receives) })).rejects.toThrow("Lambda refused to run");
    await expect(here.delivers({ message: "second", receives: 1, givesUp: givesUp(1) })).rejects.toThrow("Lambda refused to run");
    here.answers(() => async (fn, version) => ({ version, failed: fn === server ? "Unhandled" : null, payload: '{"statusCode":200}' }));
    await expect(here.delivers({ message: "first", receives: 4, givesUp: givesUp(4) })).rejects.toThrow("does not work: it failed");
    calm(here);
    await here.delivers({ message: "second", receives: 2, givesUp: givesUp(2) });
    expect(await here.types()).not.toContain("FlipFailed");
  });

  it("has tries of its own in each of its messages", async () => {
    const here = flipRoom(room, "messages");
    await here.asks(291);
    floods(here);
    for (let receives = 1; receives <= 6; receives++)
      await expect(here.delivers({ message: "first", receives, givesUp: givesUp(receives) })).rejects.toThrow("Lambda refused to run");
    await expect(here.delivers({ message: "second", receives: 1, givesUp: givesUp(1) })).rejects.toThrow("Lambda refused to run");
    const own = new Error("a fault of its own");
    here.answers((itself) => async (fn, qualifier, payload) => {
      if (qualifier === "live") throw own;
      return itself(fn, qualifier, payload);
    });
    await expect(here.delivers({ message: "first", receives: 7, givesUp: givesUp(7) })).rejects.toBe(own);
    expect(await here.types()).not.toContain("FlipFailed");
  });

  it("has all of its own tries after those that found no room", async () => {
    const here = flipRoom(room, "own");
    await here.asks(211);
    floods(here);
    for (let receives = 1; receives <= 5; receives++)
      await expect(here.delivers({ receives, givesUp: givesUp(receives) })).rejects.toThrow("Lambda refused to run");
    const own = new Error("a fault of its own");
    here.answers((itself) => async (fn, qualifier, payload) => {
      if (qualifier === "live") throw own;
      return itself(fn, qualifier, payload);
    });
    for (let receives = 6; receives <= 10; receives++)
      await expect(here.delivers({ receives, givesUp: givesUp(receives) })).rejects.toBe(own);
    expect(await here.types()).not.toContain("FlipFailed");
    await expect(here.delivers({ receives: 11, givesUp: givesUp(11) })).rejects.toBe(own);
    expect((await here.newest("FlipFailed")).body).toMatchObject({ reason: "gave up: a fault of its own" });
  });

  it("that finds no room once its aliases are moved is live where they lead to it, and the log says what was not seen", async () => {
    const here = flipRoom(room, "moved");
    await here.asks(261);
    floods(here, (qualifier, fn) => qualifier === "live" && fn === server);
    await here.delivers();
    expect(await unprovenOf(here)).toBe(`Lambda refused to run ${server}:live: the executions of the account are used up`);
  });

  it("is seen to be live by what answers after it, though one answer is late", async () => {
    const here = flipRoom(room, "late");
    await here.asks(271);
    here.answers((itself) => async (fn, qualifier, payload) => {
      if (qualifier === "live" && fn === server) throw Object.assign(new Error("Request aborted"), { name: "AbortError" });
      return itself(fn, qualifier, payload);
    });
    await here.delivers();
    expect(await unprovenOf(here)).toBe(`${server}:live gave no answer in time`);
  });
});

describe("an alias that is read since it cannot be asked", () => {
  /** The n-th read of the server's alias since it was moved finds this. */
  const finds = (here: Here, nth: number, change: () => Promise<void> | void): void => {
    let reads = 0;
    here.onRead(async (fn) => {
      if (fn !== server || !here.did.some((what) => what.startsWith(`moved ${server}`))) return;
      reads += 1;
      if (reads === nth) await change();
    });
    floods(here, (qualifier) => qualifier === "live");
  };

  it.each([1, 2])("by a newer flip: the older gives way, at whichever read it is seen (%i)", async (nth) => {
    const n = 300 + nth * 10;
    const here = flipRoom(room, `newer-${nth}`);
    await here.asks(n);
    const requested = await here.requested();
    finds(here, nth, async () => {
      await here.asks(n + 1);
      here.hand(server, { version: String(n + 1), description: describeFence({ sequence: n + 1, deploymentId: deploymentId(n + 1) }) });
    });
    await here.delivers({ requested });
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: n, by: n + 1 });
    expect(await here.types()).not.toContain("ReleaseWentLive");
  });

  it.each([
    ["leads to another version", { version: "9" }],
    ["sends a part of its visitors elsewhere", { weights: { "9": 0.1 } }],
    ["says what no flip wrote there", { description: "by hand" }],
    ["has a number that nobody gave", { description: describeFence({ sequence: 999_999, deploymentId: deploymentId(1) }) }],
  ])("and %s: nothing is called live", async (what, change) => {
    const n = 400 + what.length;
    const here = flipRoom(room, `hand-${what.length}`);
    await here.asks(n);
    finds(here, 2, () => void here.hand(server, change));
    await expect(here.delivers({ givesUp: () => false })).rejects.toThrow(`the alias "live" of ${server} is not at version ${n}`);
    expect(await here.types()).not.toContain("ReleaseWentLive");
  });
});
