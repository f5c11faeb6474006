import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { whyLive } from "../../domain/projections/why.ts";
import { past as pastOf } from "../../services/api/past.ts";
import { type AuditedPast, EVIL, LINES, type Row, startAuditedPast } from "../support/audited-past.ts";
import { noWaypoints } from "../support/no-waypoints.ts";
import { at } from "../support/samples.ts";
import { startVerbRoom, steps } from "../support/verb-room.ts";

let past: AuditedPast;
let trail: Row[];
beforeAll(async () => {
  past = await startAuditedPast();
  trail = await past.trail();
}, 60_000);
afterAll(() => past.close());

type Link = { what: string; detail: string; at: string; actor: string; event: string };
const why = async (at?: string, place = "web/production"): Promise<{ deployment: string | null; because: Link[] }> =>
  (await past.ask("GET", `environments/${place}/why${at === undefined ? "" : `?at=${at}`}`)).body;
const told = ({ because }: { because: Link[] }) => because.map(({ what, detail }) => `${what}: ${detail}`);
/** Where each release went live, as the trail has it. */
const lives = (): string[] => trail.filter(({ type }) => type === "ReleaseWentLive").map(({ position }) => position);
const justBefore = (position: string): string => positionAt(Number(position) - 1);

describe("why a version is live", () => {
  it("is told from the request on: who, from what, how built and checked, how it came live", async () => {
    const { first, second } = past.ids;
    const answer = await why(past.at.firstLive);
    expect(answer.deployment).toBe(first);
    expect(told(answer)).toEqual([
      "asked for: #1 by cli: the first release",
      expect.stringMatching(/^source: commit 0123abc4567 \(main\), Fix the header, by Ada, source [0-9a-f]{12}$/),
      "built: shiplog:1",
      "published: revalidation 1, server 1",
      "checked: server 200 in 41 ms",
      `flip: #1 deploy to ${first}`,
      "alias: #1 web-production-server 0 → 1",
      `live: #1 ${first} (deploy), before: nothing`,
    ]);
    expect((await why(past.at.secondLive)).because.at(-1)?.detail).toBe(`#2 ${second} (deploy), before: ${first}`);
    expect((await why()).because.at(-1)?.detail).toBe(`#3 ${first} (rollback), before: ${second}`);
  });

  it("after a rollback is the release's own way, and who rolled back and why", async () => {
    const answer = await why();
    expect(answer.deployment).toBe(past.ids.first);
    expect(answer.because.find(({ what }) => what === "rollback")).toMatchObject({
      detail: `#3 rollback to ${past.ids.first}: ${EVIL}`,
      actor: "carol (token ci)",
    });
    expect(answer.because[0]).toMatchObject({ what: "asked for", actor: "ada (token ci)" });
    // the flip of the first time it was live is not why it is live now
    expect(told(answer).filter((line) => line.startsWith("alias"))).toEqual(["alias: #3 web-production-server 2 → 1"]);
  });

  it("names an event of the log for each link, with its time, in their order", async () => {
    const { because } = await why();
    for (const { event, at } of because) expect(trail.find(({ id }) => id === event)?.at).toBe(at);
    expect(because.map(({ at }) => at)).toEqual(because.map(({ at }) => at).toSorted());
  });

  it("at a time or a position is what was live then: the event at it has happened", async () => {
    const { first, second } = past.ids;
    const [one = "", two = "", three = ""] = lives();
    expect((await why(past.at.beginning)).deployment).toBeNull();
    expect((await why(justBefore(one))).deployment).toBeNull();
    expect((await why(one)).deployment).toBe(first);
    expect((await why(justBefore(two))).deployment).toBe(first);
    expect((await why(two)).deployment).toBe(second);
    expect(told(await why(two))[0]).toBe(`asked for: #2 by cli: ${LINES}`);
    expect((await why(justBefore(three))).deployment).toBe(second);
    expect((await why(three)).deployment).toBe(first);
    expect((await why(past.at.rolledBack)).deployment).toBe(first);
    expect((await why(new Date(Date.now() + 3_600_000).toISOString())).deployment).toBe(first);
  });

  it("says nothing that was not so yet", async () => {
    const [, two = ""] = lives();
    for (const { at } of (await why(two)).because) expect(positionAt(Date.parse(at)) <= two).toBe(true);
    expect(JSON.stringify(await why(past.at.secondLive))).not.toContain("rollback");
  });

  it("is nothing where nothing ever was", async () => {
    expect(await why(undefined, "web/staging")).toEqual({ deployment: null, because: [] });
  });

  it("needs an environment that there is, and a moment", async () => {
    expect(await past.ask("GET", "environments/web/nowhere/why")).toMatchObject({
      status: 404,
      body: { error: { code: "environment.unknown" } },
    });
    expect(await past.ask("GET", "environments/web/production/why?at=noon")).toMatchObject({
      status: 400,
      body: { error: { code: "query.invalid" } },
    });
    expect((await past.ask("GET", "environments/web/production/why?when=now")).status).toBe(400);
  });
});

describe("an environment and a deployment at a moment", () => {
  it("are as they were", async () => {
    const { first, second } = past.ids;
    const environment = async (at: string) => (await past.ask("GET", `environments/web/production?at=${at}`)).body.environment;
    expect((await environment(past.at.firstLive)).live).toMatchObject({ deploymentId: first, sequence: 1 });
    expect(await environment(past.at.secondLive)).toMatchObject({ live: { deploymentId: second }, pin: null });
    expect(await environment(past.at.rolledBack)).toMatchObject({ live: { deploymentId: first, sequence: 3 }, pin: { reason: EVIL } });

    const [queued] = trail.filter(({ type }) => type === "DeploymentQueued");
    const { body } = await past.ask("GET", `deployments/${first}?at=${queued?.position}`);
    expect(body.deployment.status).toBe("queued");
    const listed = async (at: string) =>
      (await past.ask("GET", `deployments?site=web&at=${at}`)).body.deployments.map(({ id }: { id: string }) => id);
    expect(await listed(past.at.firstLive)).toEqual([first]);
    expect(await listed(past.at.end)).toEqual([second, first]);
    expect((await past.ask("GET", `deployments/${second}?at=${past.at.firstLive}`)).status).toBe(404);
  });
});

describe("the seals", () => {
  it("are made on demand of what is in none yet, and listed with where their segments are", async () => {
    expect((await past.ask("GET", "seals")).body.seals).toEqual([]);
    const one = (await past.ask("POST", "seals")).body.sealed;
    expect(one).toMatchObject({ number: 1, previous: null });
    expect(one.count).toBe(new Set(trail.map(({ stream, version }) => `${stream}/${version}`)).size);
    expect((await past.ask("POST", "seals")).body.sealed).toBeNull();
    await past.ask("POST", "environments/web/staging/lock", { reason: "once more" });
    // as the relay does, which does not run here
    await past.engine.views.noteUnsealed("environment/web/staging", 3);
    const two = (await past.ask("POST", "seals")).body.sealed;
    const lock = { from: 3, to: 3, hash: expect.any(String) };
    expect(two).toMatchObject({ number: 2, count: 1, streams: { "environment/web/staging": [lock] } });

    const { publicKey, seals } = (await past.ask("GET", "seals")).body;
    expect(publicKey).toContain("BEGIN PUBLIC KEY");
    expect(seals.map(({ manifest }: { manifest: string }) => JSON.parse(manifest).number)).toEqual([1, 2]);
    const segment = await fetch(seals[0].segment);
    expect([segment.status, (await segment.arrayBuffer()).byteLength]).toEqual([200, one.segment.bytes]);
  });
});

it("names the pin that a release had waited for, although that was before its flip was asked for", async () => {
  const room = await startVerbRoom();
  try {
    const { place, admit, flip } = steps(1, "held");
    const pinned: EnvironmentCommand = { type: "PinEnvironment", reason: "frozen" };
    const unpinned: EnvironmentCommand = { type: "UnpinEnvironment", actor: "ada", at: at() };
    await room.environment("held", admit, pinned, flip(1), unpinned, { type: "RecordWentLive", sequence: 1 });
    expect(await room.typesOf(place)).toContain("FlipHeld");
    const since = await pastOf({ ...room.store, views: noWaypoints }).sinceAsked(
      { site: "held", environment: "production" },
      "9".repeat(15),
    );
    expect(whyLive(since, []).map(({ what }) => what)).toEqual(["held", "flip", "live"]);
  } finally {
    await room.close();
  }
});
