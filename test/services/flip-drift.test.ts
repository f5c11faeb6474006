import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { describe as describeFence, type FoundAlias, UNMOVED } from "../../domain/environment/fence.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { flipAlias } from "../../services/flip-alias/flip-alias.ts";
import type { SiteConfig } from "../../services/kit/config.ts";
import { deploymentId, functions } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const [revalidation, server] = functions(1).map(({ name }) => name) as [string, string];

/** A site whose functions' aliases are held here, for hands to change. */
const site = (name: string) => {
  const aliases = new Map<string, FoundAlias>(
    [revalidation, server].map((fn) => [fn, { version: "0", description: describeFence(UNMOVED) }]),
  );
  const at = (fn: string) => ({ ...(aliases.get(fn) as FoundAlias), revisionId: JSON.stringify(aliases.get(fn)) });
  const config = { site: name, environment: "production", host: "h", checkPath: "/" } as SiteConfig;
  const place = steps(1, name).place;
  const flip = flipAlias({
    ...room,
    site: () => config,
    files: { put: async () => ({ isWhole: true, written: [] }), putRight: async () => true, removeOthers: async () => undefined },
    leases: { takeLease: async () => true, giveLease: async () => undefined },
    functions: {
      alias: async (fn) => at(fn),
      moveAlias: async (fn, _alias, to) => {
        aliases.set(fn, to);
        return at(fn);
      },
      invoke: async (fn, qualifier) => ({
        version: qualifier === "live" ? at(fn).version : qualifier,
        failed: null,
        payload: '{"statusCode":200}',
      }),
    },
  });
  /** Deployment n is admitted with sequence n, published, and its flip is asked for. */
  const asks = async (n: number): Promise<void> => {
    const { admit, queue, began, built, published, flip: request } = steps(n, name);
    await room.environment(name, admit);
    await room.deployment(n, queue(n), began, built, ...published);
    await room.environment(name, request(n));
  };
  const delivers = async (): Promise<void> => {
    const requested = await room.newest<Recorded<EnvironmentEvent>>(place, "FlipRequested");
    await flip(requested, { last: false, again: false, givesUp: () => true });
  };
  const state = async () => (await room.aggregates.environment.load(name, "production")).state;
  const hand = (fn: string, change: Partial<FoundAlias>) => aliases.set(fn, { ...(aliases.get(fn) as FoundAlias), ...change });
  return { aliases, asks, delivers, state, hand, types: () => room.typesOf(place), newest: (type: string) => room.newest(place, type) };
};

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
    expect((await here.types()).slice(-3)).toEqual(["AliasDriftDetected", "AliasFlipped", "ReleaseWentLive"]);
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
      "AliasFlipped",
      "AliasDriftDetected",
      "AliasDriftEnded",
      "ReleaseWentLive",
    ]);
  });
});
