import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type Ports, refreshEdge } from "../../services/refresh-edge/refresh-edge.ts";
import { deploymentId } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

/** Brings a release live in a site of its own and tells refresh-edge of it. */
const live = async (site: string, invalidate: Ports["invalidate"], last = false, distribution: string | undefined = "E1") => {
  const { admit, flip, place } = steps(1, site);
  await room.environment(site, admit, flip(1), { type: "RecordWentLive", sequence: 1 });
  const event = await room.newest<Recorded<Subscribed<"refresh-edge">>>(place, "ReleaseWentLive");
  const config = { distribution } as SiteConfig;
  return {
    tell: () => refreshEdge({ ...room, site: () => config, invalidate })(event, { last }),
    types: () => room.typesOf(place).then((types) => types.slice(3)),
  };
};

describe("refresh-edge", () => {
  it("asks the CDN once for each time that a release went live, however often it is told", async () => {
    const asked = new Set<string>();
    const { tell, types } = await live("once", async (distribution, reference) => {
      asked.add(`${distribution} ${reference}`);
      return "I1";
    });
    for (const _ of ["told", "told again"]) await tell();
    expect([...asked]).toEqual([`E1 ${deploymentId(1)}-1`]);
    expect(await types()).toEqual(["EdgeInvalidated"]);
  });

  it("leaves what fails to the queue's next try, and says so at the last one", async () => {
    const away = () => Promise.reject(new Error("CloudFront was away"));
    const first = await live("again", away);
    await expect(first.tell()).rejects.toThrow("CloudFront was away");
    expect(await first.types()).toEqual([]);
    const last = await live("last", away, true);
    await last.tell();
    expect(await last.types()).toEqual(["EdgeInvalidationFailed"]);
  });

  it("has nothing to do where there is no CDN", async () => {
    const { tell, types } = await live("none", () => Promise.reject(new Error("asked all the same")), false, "");
    await tell();
    expect(await types()).toEqual([]);
  });
});
