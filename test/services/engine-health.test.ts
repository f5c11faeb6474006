import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineFinding, HealthPart } from "../../domain/projections/engine-health.ts";
import { project } from "../../services/project/project.ts";
import { type ApiRoom, openApiRoom, READ_TOKEN } from "../support/api-room.ts";
import { deploymentId, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let room: ApiRoom;
/** how far the API's clock is ahead of the engine's: what was written now is that old to it */
let later = 0;
let away = false;
beforeAll(async () => {
  room = await openApiRoom({ sites: [siteConfigOf("web", "production")] }, (ports, engine) => ({
    ...ports,
    clock: { now: () => engine.clock.now() + later },
    sight: { ...ports.sight, firstDue: () => (away ? Promise.reject(new Error("secret-host is away")) : ports.sight.firstDue()) },
  }));
}, 60_000);
afterAll(() => room.close());

const look = async (): Promise<{ state: string; of: (part: HealthPart) => EngineFinding | undefined }> => {
  const { status, body } = await room.ask("GET", "/health/engine");
  expect(status).toBe(200);
  return { state: body.state, of: (part) => body.findings.find((finding: EngineFinding) => finding.part === part) };
};
const as = async (ms: number) => {
  later = ms;
  return look().finally(() => {
    later = 0;
  });
};
const because = (cause: string) => ({ cause, correlation: cause, actor: "test" });
const stream = "environment/web/production";
const pin = async (reason: string): Promise<number> => {
  await room.engine.aggregates.environment.execute("web", "production", { type: "PinEnvironment", reason }, because(reason));
  return (await room.engine.store.load(stream)).version;
};

describe("the engine's health", () => {
  it("is for whoever has a token, and is well where nothing was ever written but that nobody saw the reconciler run", async () => {
    expect((await room.app.request("/v1/health/engine")).status).toBe(401);
    expect((await room.ask("GET", "/health/engine", undefined, { authorization: `Bearer ${READ_TOKEN}` })).status).toBe(200);
    const { state, of } = await look();
    expect([state, of("reconciler")?.state]).toEqual(["late", "late"]);
    await room.engine.views.setMended(Date.now());
    expect((await look()).state).toBe("ok");
  });

  it("tells how full the code storage is, alone where nobody asks for the rest", async () => {
    const day = 24 * HOUR;
    const samples = [0, 1].map((n) => ({ at: n * day, used: (68 + n) * 2 ** 30, limit: 75 * 2 ** 30 }));
    await room.engine.views.noteCodeStorage(samples);
    const { body } = await room.ask("GET", "/health/engine?part=code-storage");
    expect(body).toMatchObject({ state: "wrong", findings: [{ part: "code-storage", says: expect.stringContaining("full in 6 days") }] });
    expect((await room.ask("GET", "/health/engine?part=codes")).status).toBe(400);
    await room.engine.views.noteCodeStorage([]);
  });

  it("tells of a commit that the relay did not pass on, once that is late; then of the row that did not read it", async () => {
    const version = await pin("frozen");
    expect((await look()).of("relay")).toMatchObject({ state: "ok", about: stream });
    expect((await as(HOUR)).of("relay")).toMatchObject({ state: "wrong", about: stream, next: "shiplog doctor" });
    // nobody blames the rows for what they cannot know
    expect((await as(HOUR)).of("projections")).toMatchObject({ state: "ok", about: null });
    await room.engine.views.setRelayed(stream, version);
    expect((await as(HOUR)).of("relay")).toMatchObject({ state: "ok", about: null });
    expect((await as(MINUTE)).of("projections")).toMatchObject({ state: "late", about: stream });
    await project({ read: room.engine.store.read, views: room.engine.views })({ stream, version });
    expect((await as(HOUR)).of("projections")).toMatchObject({ state: "ok", about: null });
  });

  it("tells how long the reconciler did not run", async () => {
    await room.engine.views.setMended(Date.now());
    expect((await look()).of("reconciler")?.state).toBe("ok");
    expect((await as(HOUR)).of("reconciler")?.state).toBe("wrong");
  });

  it("tells of a dead letter, and of whose it is", async () => {
    expect((await look()).of("dead-letters")?.state).toBe("ok");
    const record = { messageId: "m1", body: "strange", attributes: { ApproximateReceiveCount: "1" } } as never;
    await room.engine.queues.redelivery("notify").deadLetter(record, "it is strange");
    expect((await look()).of("dead-letters")).toMatchObject({ state: "wrong", says: expect.stringContaining("notify 1") });
  });

  it("tells of the step that is overdue", async () => {
    const id = deploymentId(1);
    const queue = { type: "QueueDeployment", request: request(1), sequence: 1 } as const;
    await room.engine.aggregates.deployment.execute(id, queue, because("queue"));
    const written = await room.engine.store.load(`deployment/${id}`);
    await project({ read: room.engine.store.read, views: room.engine.views })({
      stream: `deployment/${id}`,
      version: written.version,
    });
    expect((await look()).of("steps")).toMatchObject({ state: "ok", about: `deployment/${id}` });
    expect((await as(5 * MINUTE)).of("steps")?.state).toBe("late");
    expect((await as(3 * HOUR)).of("steps")).toMatchObject({ state: "wrong", next: `shiplog inspect ${id}` });
  });

  it("tells of a message that is due for long, and of what is in no seal", async () => {
    await room.engine.views.noteWaiting({ consumer: "deliver", key: "k", body: "", due: Date.now(), token: "t" });
    expect((await look()).of("waiting")?.state).toBe("ok");
    expect((await as(HOUR)).of("waiting")?.state).toBe("wrong");
    expect((await as(3 * HOUR)).of("seals")).toMatchObject({ state: "late", next: "shiplog audit seal" });
    await room.ask("POST", "/seals", {});
    expect((await as(3 * HOUR)).of("seals")).toMatchObject({ state: "ok", says: expect.stringContaining("Everything is sealed.") });
    await room.engine.views.noteUnsealed(stream, 9);
    expect((await as(80 * HOUR)).of("seals")).toMatchObject({ state: "wrong", says: expect.stringContaining("1 stream with something") });
  });

  it("says of what cannot be looked at that it is not known to be well, and tells the rest; why is in the log alone", async () => {
    away = true;
    const { of } = await look();
    away = false;
    expect(of("waiting")).toMatchObject({ state: "wrong", says: expect.not.stringContaining("secret-host") });
    expect(of("relay")).toBeDefined();
    expect(JSON.stringify(room.reported)).toContain("secret-host");
  });
});
