import { describe, expect, it } from "vitest";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import { deployment } from "../../domain/deployment/decider.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { WebhookView } from "../../domain/projections/webhook-view.ts";
import { News, wants } from "../../domain/webhook/news.ts";
import { outcomeTypes } from "../../domain/webhook/notable.ts";
import { type DeliveryMessage, deliveryId } from "../../engine/webhooks/delivery.ts";
import { newsOf } from "../../services/notify/news.ts";
import { notify } from "../../services/notify/notify.ts";
import { asked } from "../support/given.ts";
import { news } from "../support/news.ts";
import { backIn } from "../support/read-back.ts";
import { artifact, at, check, deploymentId, release, request, webhookId } from "../support/samples.ts";

/** Events as the store gives them: one a commit, ten seconds apart. `from` is the first one's time. */
const recorded = (stream: string, events: readonly AnyEvent[], from: number): Recorded[] =>
  events.map((event, index) => ({
    ...event,
    id: `${`${stream.replace(/\W/g, "")}${index}`.padStart(22, "0").slice(-22)}.0`,
    stream,
    version: index + 1,
    index: 0,
    position: String(Date.parse(at(from + index * 10))).padStart(15, "0"),
    at: at(from + index * 10),
    actor: "shiplog advance",
    origin: "",
    cause: "c",
    correlation: "c",
  }));

const by = { actor: "ada", at: at() };
const place = environmentStream("web", "production");
const commit = { sha: "0123abc", message: "Fix it", author: "Ada" };
const queue: DeploymentCommand = { type: "QueueDeployment", sequence: 2, request: request(2, { commit }) };
const began: DeploymentCommand = { type: "RecordBuildStarted", buildId: "shiplog-web:1", logs: "group:stream" };
const admit = (n: number): EnvironmentCommand => ({ type: "AdmitDeployment", request: request(n), ...by });
const flip = (n: number): EnvironmentCommand => ({
  type: "RequestFlip",
  deploymentId: deploymentId(n),
  sequence: n,
  release: release(n),
  ...by,
});

const world = (commands: readonly DeploymentCommand[], environmentCommands: readonly EnvironmentCommand[], from = 0) => {
  const streams = new Map([
    [deploymentStream(deploymentId(2)), recorded(deploymentStream(deploymentId(2)), asked(deployment)(...commands), 60)],
    [place, recorded(place, asked(environment)(...environmentCommands), from)],
  ]);
  const events = async (stream: string): Promise<readonly Recorded[]> => streams.get(stream) ?? [];
  const tell = newsOf({
    events,
    back: backIn(events),
    logEnd: async () => ["npm error", `var a=${"1,".repeat(200_000)}`],
    url: () => "https://web.example.com",
  });
  const find = (stream: string, type: string) =>
    streams.get(stream)?.findLast((event) => event.type === type) as Parameters<typeof tell>[0];
  return {
    of: async (type: string) => tell(find(deploymentStream(deploymentId(2)), type)),
    ofPlace: async (type: string) => tell(find(place, type)),
  };
};

describe("the news of a deployment", () => {
  it("are who, what, where, and what is live", async () => {
    const told = await world([queue, began], [admit(1), flip(1), { type: "RecordWentLive", sequence: 1 }]).of("BuildStarted");
    expect(News.parse(told)).toEqual(told);
    expect(told).toMatchObject({
      site: "web",
      environment: "production",
      deployment: deploymentId(2),
      status: { before: "queued", after: "building" },
      live: { before: { sequence: 1 }, after: { deployment: deploymentId(1), sequence: 1 } },
      actor: "ada",
      commit,
      durationMs: 10_000,
      next: `shiplog events ${deploymentId(2)} --follow`,
    });
  });
  it("say what it replaced once it is live, and how to undo it", async () => {
    const built: DeploymentCommand[] = [
      { type: "RecordBuildSucceeded", buildId: "shiplog-web:1", artifact: artifact(2) },
      { type: "StartRelease", releaseId: deploymentId(2) },
      { type: "RecordChecksPassed", release: release(2), checks: [check(2)] },
      { type: "StartFlip", sequence: 2 },
      { type: "SucceedDeployment", sequence: 2 },
    ];
    const live: EnvironmentCommand[] = [
      admit(1),
      flip(1),
      { type: "RecordWentLive", sequence: 1 },
      admit(2),
      flip(2),
      { type: "RecordWentLive", sequence: 2 },
    ];
    const here = world([queue, began, ...built], live);
    expect(await here.of("DeploymentSucceeded")).toMatchObject({
      status: { before: "deploying", after: "success" },
      live: { before: { deployment: deploymentId(1), sequence: 1 }, after: { deployment: deploymentId(2), sequence: 2 } },
      next: `shiplog rollback ${deploymentId(1)}`,
    });
    // it was deploying before: no change of the status, no news
    expect(await here.of("FlipStarted")).toBeUndefined();
  });
  it("know nothing of what went live after it", async () => {
    const first: EnvironmentCommand[] = [admit(1), flip(1), { type: "RecordWentLive", sequence: 1 }];
    // ten seconds each: the build began after 70, and the second release goes live after 110
    const later = [admit(2), flip(2), ...[3, 4, 5, 6, 7, 8].map(admit), { type: "RecordWentLive", sequence: 2 } as const];
    const here = world([queue, began], [...first, ...later]);
    expect((await here.ofPlace("ReleaseWentLive"))?.live.after?.sequence).toBe(2);
    expect(await here.of("BuildStarted")).toMatchObject({ live: { before: { sequence: 1 }, after: { sequence: 1 } } });
  });
  it("have the cause and the last lines where a build failed", async () => {
    const failed: DeploymentCommand = {
      type: "RecordBuildFailed",
      buildId: "shiplog-web:1",
      status: "FAILED",
      phase: "BUILD",
      reason: "exit 1",
    };
    expect(await world([queue, began, failed], []).of("DeploymentFailed")).toMatchObject({
      status: { before: "building", after: "failed" },
      step: "build",
      reason: expect.stringContaining("exit 1"),
      // a line may be a whole bundle: its beginning must do
      lastLines: ["npm error", `var a=${"1,".repeat(247)}…`],
      live: { before: null, after: null },
      next: `shiplog logs ${deploymentId(2)}`,
    });
  });
});

describe("the news of an environment", () => {
  it("say who pinned it and why", async () => {
    const told = await world([queue], [{ type: "PinEnvironment", reason: "frozen" }]).ofPlace("EnvironmentPinned");
    expect(told).toMatchObject({
      site: "web",
      environment: "production",
      status: null,
      reason: "frozen",
      next: "shiplog unpin web/production",
    });
  });
  it("say what a rollback brought back", async () => {
    const live: EnvironmentCommand[] = [
      ...[admit(1), flip(1), { type: "RecordWentLive", sequence: 1 } as const],
      ...[admit(2), flip(2), { type: "RecordWentLive", sequence: 2 } as const],
      ...[{ type: "RequestRollback", why: "it answers 500", ...by } as const, { type: "RecordWentLive", sequence: 3 } as const],
    ];
    const here = world([queue], live, 100);
    expect(await here.ofPlace("ReleaseWentLive")).toMatchObject({
      flip: "rollback",
      reason: "it answers 500",
      replaced: { deployment: deploymentId(2), sequence: 2, commit },
      live: { before: { sequence: 2 }, after: { deployment: deploymentId(1), sequence: 3 } },
      actor: "ada",
      next: "shiplog unpin web/production",
    });
  });
});

describe("the pin of a rollback", () => {
  const live = (n: number): EnvironmentCommand[] => [admit(n), flip(n), { type: "RecordWentLive", sequence: n }];
  const here = world([queue], [...live(1), ...live(2), { type: "RequestRollback", why: "it answers 500", ...by }]);
  const filters = (...types: string[]) => ({ site: null, environment: null, types });

  it("is told with the rollback itself, and alone only to who hears of pins alone", async () => {
    const told = News.parse(await here.ofPlace("EnvironmentPinned"));
    expect(told.flip).toBe("rollback");
    expect(wants(filters(), told)).toBe(false);
    expect(wants(filters(...outcomeTypes), told)).toBe(false);
    expect(wants(filters("EnvironmentPinned"), told)).toBe(true);
  });

  it("is told where a person set it", async () => {
    const pinned = world([queue], [...live(1), { type: "PinEnvironment", reason: "a sale" }]);
    const told = News.parse(await pinned.ofPlace("EnvironmentPinned"));
    for (const types of [[], outcomeTypes, ["EnvironmentPinned"]]) expect(wants(filters(...types), told)).toBe(true);
  });

  it("is told neither where the rollback that set it fails and takes it back: the failure is what is told", async () => {
    const failed = [...live(1), ...live(2), { type: "RequestRollback", ...by } as const];
    const room = world([queue], [...failed, { type: "RecordFlipFailed", sequence: 3, reason: "its version is gone", moved: false }]);
    expect(wants(filters(), News.parse(await room.ofPlace("EnvironmentUnpinned")))).toBe(false);
    expect(News.parse(await room.ofPlace("FlipFailed"))).toMatchObject({ flip: "rollback", reason: "its version is gone" });
  });
});

describe("what came of it alone", () => {
  it("is a release that went live, once, however it did; what failed, waits or drifts; and no step on the way", () => {
    const outcomes = { site: null, environment: null, types: [...outcomeTypes] };
    const told = (change: Partial<News>) => wants(outcomes, news(change));
    for (const flip of ["deploy", "rollback", "restore"]) expect(told({ type: "ReleaseWentLive", flip })).toBe(true);
    expect(told({ type: "DeploymentSucceeded" })).toBe(false);
    for (const type of ["DeploymentFailed", "DeploymentHeld", "FlipFailed", "AliasDriftDetected", "EnvironmentLocked"])
      expect(told({ type })).toBe(true);
    for (const type of ["DeploymentQueued", "BuildStarted", "BuildSucceeded", "ReleaseStarted", "DeploymentSuperseded"])
      expect(told({ type })).toBe(false);
  });
});

describe("notify", () => {
  const endpoint = (n: number, change: Partial<WebhookView> = {}): WebhookView => ({
    id: webhookId(n),
    kind: "standard",
    url: "https://example.com/…",
    filters: { site: null, environment: null, types: [] },
    from: null,
    actor: "ada",
    addedAt: at(0),
    rotatedAt: null,
    disabled: null,
    removedAt: null,
    version: 1,
    ...change,
  });
  const event = recorded(place, [{ type: "EnvironmentPinned", v: 1, body: {} }], 60)[0] as Recorded;
  const room = (endpoints: readonly WebhookView[]) => {
    const sent: DeliveryMessage[] = [];
    const noted = new Set<string>();
    const run = notify<Recorded>({
      news: async () => news(),
      rows: {
        webhooks: async () => [...endpoints],
        delivery: async (id) => (noted.has(id) ? ({} as never) : undefined),
        noteDelivery: async ({ id }) => Boolean(noted.add(id)),
      },
      send: async (body) => void sent.push(JSON.parse(body) as DeliveryMessage),
      clock: { now: () => 1 },
    });
    return { sent, run: () => run(event) };
  };

  it("makes one delivery for each endpoint that wants it, however often the event comes", async () => {
    const { sent, run } = room([
      endpoint(1),
      endpoint(2, { filters: { site: "docs", environment: null, types: [] } }),
      endpoint(3, { disabled: { at: at(1), reason: "gone" } }),
      endpoint(4, { addedAt: at(120) }),
      endpoint(5, { kind: "slack", filters: { site: "web", environment: "production", types: ["BuildStarted"] } }),
    ]);
    await run();
    await run();
    expect(sent.map(({ webhook }) => webhook)).toEqual([webhookId(1), webhookId(5)]);
    expect(sent.map(({ delivery }) => delivery)).toEqual([deliveryId(event.id, webhookId(1)), deliveryId(event.id, webhookId(5))]);
  });
  it("an id is of one event and one endpoint", () => {
    const ids = [deliveryId("a.0", "wh_1"), deliveryId("a.0", "wh_2"), deliveryId("b.0", "wh_1"), deliveryId("a.0", "wh_1")];
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^msg_\w{24}$/);
  });
  it("asks for nothing where there is no endpoint", async () => {
    const { sent, run } = room([]);
    await run();
    expect(sent).toEqual([]);
  });
});
