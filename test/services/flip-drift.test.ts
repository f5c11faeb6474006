import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describe as describeFence, type FoundAlias } from "../../domain/environment/fence.ts";
import { flipRoom } from "../support/flip-room.ts";
import { deploymentId, functions } from "../support/samples.ts";
import { startVerbRoom, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const [, server] = functions(1).map(({ name }) => name) as [string, string];

const site = (name: string) => flipRoom(room, name);

describe("a flip", () => {
  it("is superseded by no number that a hand wrote on an alias, records none, and says how to put it back", async () => {
    const here = site("poisoned");
    await here.asks(101);
    await here.delivers();
    const { description } = here.aliases.get(server) as FoundAlias;
    here.hand(server, { description: `seq=1000 dep=${deploymentId(101)}` });
    await here.asks(102);
    await here.delivers();
    const types = await here.types();
    expect(types).toContain("AliasDriftDetected");
    expect(types).not.toContain("FlipSuperseded");
    expect(((await here.newest("FlipFailed")) as unknown as { body: { reason: string } }).body.reason).toContain(
      `--description "${description}"`,
    );
    expect(Math.max(...[...(await here.state()).aliases.values()].map(({ sequence }) => sequence))).toBeLessThanOrEqual(
      (await here.state()).flipped,
    );

    here.hand(server, { description });
    await here.delivers();
    await here.asks(103);
    await here.delivers();
    const { live, aliases, drift } = await here.state();
    expect(live?.deploymentId).toBe(deploymentId(103));
    expect(aliases.get(server)).toMatchObject({ deploymentId: deploymentId(103), version: "103" });
    expect(drift.size).toBe(0);
  });
  it("clears weights that a hand put on an alias, and has them in the log before", async () => {
    const here = site("weighted");
    await here.asks(111);
    await here.delivers();
    here.hand(server, { weights: { "0": 0.1 } });
    await here.asks(112);
    await here.delivers();
    expect(here.aliases.get(server)?.weights).toBeUndefined();
    expect((await here.newest("AliasDriftDetected")).body).toMatchObject({
      found: { version: "111", weights: { "0": 0.1 } },
      expected: { version: "111" },
    });
    expect((await here.state()).drift.size).toBe(0);
    expect((await here.types()).slice(-5)).toEqual([
      "AliasDriftDetected",
      "AliasFlipped",
      "AliasFlipped",
      "EdgeSwitched",
      "ReleaseWentLive",
    ]);
  });
  it("that comes again clears weights that were put on its own move meanwhile", async () => {
    const here = site("again");
    await here.asks(121);
    here.hand(server, {
      version: "121",
      description: describeFence({ sequence: 121, deploymentId: deploymentId(121) }),
      weights: { "0": 0.5 },
    });
    await here.delivers();
    expect(here.aliases.get(server)?.weights).toBeUndefined();
    expect(await here.types()).toEqual([
      "DeploymentAdmitted",
      "FlipRequested",
      "AliasFlipped",
      "AliasDriftDetected",
      "AliasFlipped",
      "AliasDriftEnded",
      "EdgeSwitched",
      "ReleaseWentLive",
    ]);
  });
});
