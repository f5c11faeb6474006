import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describe as describeFence } from "../../domain/environment/fence.ts";
import { flipRoom } from "../support/flip-room.ts";
import { deploymentId, functions, release } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const [revalidation, server] = functions(1).map(({ name }) => name) as [string, string];

describe("a flip", () => {
  it("moves every alias, the server's last, and only then says that it went live", async () => {
    const here = flipRoom(room, "whole");
    await here.asks(1);
    await here.delivers();
    expect(here.did).toEqual([`moved ${revalidation} to 1`, `moved ${server} to 1`]);
    expect(await here.types()).toEqual([
      "DeploymentAdmitted",
      "FlipRequested",
      "AliasFlipped",
      "AliasFlipped",
      "EdgeSwitched",
      "ReleaseWentLive",
    ]);
    expect(await room.typesOf(steps(1).stream)).toContain("FlipStarted");
  });

  it("has gone live when each alias has answered twice in a row with the new version", async () => {
    const here = flipRoom(room, "wavering");
    await here.asks(11);
    const versions = ["0", "11", "0", "11", "11"];
    let asked = 0;
    here.answers((itself) => async (fn, qualifier, payload) => {
      const answer = await itself(fn, qualifier, payload);
      return fn === server && qualifier === "live" ? { ...answer, version: versions[asked++] ?? "too often" } : answer;
    });
    await here.delivers();
    expect(asked).toBe(versions.length);
    expect((await here.types()).at(-1)).toBe("ReleaseWentLive");
  });

  it("gives way to a newer one that took an alias while it was read back", async () => {
    const here = flipRoom(room, "taken");
    await here.asks(21);
    const requested = await here.requested();
    let wasTaken = false;
    here.answers((itself) => async (fn, qualifier, payload) => {
      if (qualifier === "live" && fn === server && !wasTaken) {
        wasTaken = true;
        await here.asks(22);
        here.hand(server, { version: "22", description: describeFence({ sequence: 22, deploymentId: deploymentId(22) }) });
      }
      return itself(fn, qualifier, payload);
    });
    await here.delivers({ requested });
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: 21, by: 22 });
    expect(await here.types()).not.toContain("ReleaseWentLive");
  });

  it("gives way to a newer one before it touches anything", async () => {
    const here = flipRoom(room, "late");
    await here.asks(23);
    const requested = await here.requested();
    await here.asks(24);
    await here.delivers({ requested });
    expect((await here.newest("FlipSuperseded")).body).toMatchObject({ sequence: 23, by: 24 });
    expect(here.did).toEqual([]);
  });

  it("does nothing where its deployment was cancelled before, and says so", async () => {
    const here = flipRoom(room, "cancelled");
    await here.asks(31);
    await room.deployment(31, steps(31).cancel);
    await here.delivers();
    expect(here.did).toEqual([]);
    expect((await here.newest("FlipFailed")).body).toMatchObject({ sequence: 31, reason: "its deployment ended before it could go live" });
  });

  it("that has ended moves nothing when its message comes again", async () => {
    const here = flipRoom(room, "ended");
    await here.asks(41);
    await here.delivers();
    here.did.length = 0;
    const types = await here.types();
    await here.delivers();
    await here.delivers({ receives: 2 });
    expect(here.did.filter((what) => what.startsWith("moved"))).toEqual([]);
    expect(await here.types()).toEqual(types);
  });

  it("that fails half-way has what is live put back, and one that moved nothing does not", async () => {
    const here = flipRoom(room, "half");
    await here.asks(51);
    await here.delivers();
    await here.asks(52);
    here.answers((itself) => async (fn, qualifier, payload) => {
      if (qualifier === "live") throw new Error("Lambda is away");
      return itself(fn, qualifier, payload);
    });
    await expect(here.delivers()).rejects.toThrow("Lambda is away");
    expect((await here.types()).slice(-2)).toEqual(["FlipFailed", "FlipRequested"]);
    expect((await here.newest("FlipRequested")).body).toMatchObject({ reason: "restore", deploymentId: deploymentId(51) });

    const untouched = flipRoom(room, "untouched");
    await untouched.asks(53);
    await untouched.delivers();
    await untouched.asks(54);
    untouched.answers(() => async (fn, version) => ({ version, failed: fn === server ? "Unhandled" : null, payload: "{}" }));
    await expect(untouched.delivers()).rejects.toThrow("does not work");
    await untouched.delivers({ receives: 2 });
    expect((await untouched.types()).at(-1)).toBe("FlipFailed");
    // it is tried before its files are put
    expect(untouched.did).not.toContain(`put ${release(54).manifest}`);
  });

  it("that fails has what is live put back where an older one that died had moved the aliases", async () => {
    const here = flipRoom(room, "left");
    await here.asks(56);
    await here.delivers();
    await here.asks(57);
    const fence = describeFence({ sequence: 57, deploymentId: deploymentId(57) });
    for (const fn of [revalidation, server]) here.hand(fn, { version: "57", description: fence });
    await here.asks(58);
    here.answers(() => async (fn, version) => ({ version, failed: fn === server ? "Unhandled" : null, payload: "{}" }));
    await expect(here.delivers()).rejects.toThrow("does not work");
    expect((await here.types()).slice(-4)).toEqual(["AliasFlipped", "AliasFlipped", "FlipFailed", "FlipRequested"]);
    expect((await here.newest("FlipRequested")).body).toMatchObject({ reason: "restore", deploymentId: deploymentId(56) });
  });

  it("puts back what was live without a split function that is declared no more, and goes to it no other way", async () => {
    const here = flipRoom(room, "undeclared");
    await here.asks(71);
    const requested = await here.requested();
    const split = {
      role: "server-api",
      name: "shiplog-undeclared-production-server-api",
      version: "3",
      codeSha256: "a=",
      settings: "s",
    } as const;
    const release = { ...requested.body.release, functions: [...requested.body.release.functions, { ...split, patterns: ["api/*"] }] };
    const as = (reason: "restore" | "rollback") => ({ ...requested, body: { ...requested.body, reason, release } });
    await here.delivers({ requested: as("rollback") });
    expect((await here.newest("FlipFailed")).body).toMatchObject({ reason: expect.stringContaining("does not fit the site") });
    expect(here.did.filter((what) => what.startsWith("moved"))).toEqual([]);

    const again = flipRoom(room, "restored");
    await again.asks(72);
    const asked = await again.requested();
    const body = { ...asked.body, reason: "restore", release: { ...asked.body.release, functions: release.functions } } as const;
    await again.delivers({ requested: { ...asked, body } });
    expect(again.did.filter((what) => what.startsWith("moved"))).toEqual([`moved ${revalidation} to 71`, `moved ${server} to 71`]);
    expect((await again.types()).at(-1)).toBe("ReleaseWentLive");
  });

  it("takes no alias for moved by itself that a hand put elsewhere with its words", async () => {
    const here = flipRoom(room, "forged");
    await here.asks(61);
    await here.delivers();
    await here.asks(62);
    here.hand(revalidation, { version: "9", description: describeFence({ sequence: 62, deploymentId: deploymentId(62) }) });
    await here.delivers();
    expect((await here.types()).slice(-2)).toEqual(["AliasDriftDetected", "FlipFailed"]);
  });
});
