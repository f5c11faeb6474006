import { hash } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deadLetterName } from "../../blueprint/topology.ts";
import { webhookStream } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { type Engine, systemClock } from "../../engine/wiring/engine.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { project } from "../../services/project/project.ts";
import { wire as reconciler } from "../../services/reconcile/handler.ts";
import { type Answer, type ApiRoom, OTHER_TOKEN, openApiRoom, TOKEN } from "../support/api-room.ts";
import { artifact, check, release } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const HOUR = 3_600_000;

// one site for each group of tests: they do not see each other's deployments
const sites = ["web", "docs", "shop", "blog", "wiki", "news"].map((name) => siteConfigOf(name, "production"));
let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [...sites, siteConfigOf("web", "staging")] });
}, 60_000);
afterAll(() => room.close());
const ask: ApiRoom["ask"] = (...given) => room.ask(...given);

const zip = Buffer.from("a zip, more or less");
const sha256 = hash("sha256", zip, "hex");
/** Uploads the source as the CLI does, and asks for a deployment of it. */
const deploy = async (name: string, key?: string, environment = "production"): Promise<Answer> => {
  const { body } = await ask("POST", "/sources", { site: name, sha256, bytes: zip.length });
  if (body.upload !== null)
    expect((await fetch(body.upload.url, { method: "PUT", headers: body.upload.headers, body: zip })).status).toBe(200);
  return ask("POST", "/deployments", { site: name, environment, source: body.source }, key === undefined ? {} : { "idempotency-key": key });
};
const because = (cause: string) => ({ cause, correlation: cause, actor: "test" });
/** Brings a deployment to where it is ready to go live, as the consumers would. */
const build = async (id: string, number: number) => {
  const give = (command: Parameters<Engine["aggregates"]["deployment"]["execute"]>[1]) =>
    room.engine.aggregates.deployment.execute(id, command, because(`${id}/${command.type}`));
  await give({ type: "RecordBuildStarted", buildId: `shiplog:${number}`, logs: "/aws/codebuild/shiplog:one" });
  await give({ type: "RecordBuildSucceeded", buildId: `shiplog:${number}`, artifact: artifact(number) });
  await give({ type: "StartRelease", releaseId: id });
  await give({ type: "RecordChecksPassed", release: { ...release(number), id }, checks: [check(number)] });
};
const goLive = async (name: string, id: string, number: number, sequence: number) => {
  await build(id, number);
  const flip = {
    type: "RequestFlip",
    deploymentId: id,
    sequence,
    release: { ...release(number), id },
    actor: "test",
    at: new Date().toISOString(),
  } as const;
  await room.engine.aggregates.environment.execute(name, "production", flip, because(`${id}/flip`));
  await room.engine.aggregates.environment.execute(name, "production", { type: "RecordWentLive", sequence }, because(`${id}/live`));
  await room.engine.aggregates.deployment.execute(id, { type: "StartFlip", sequence }, because(`${id}/start-flip`));
  await room.engine.aggregates.deployment.execute(id, { type: "SucceedDeployment", sequence }, because(`${id}/succeed`));
};

describe("the door", () => {
  it.each([
    { origin: "https://attacker.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ])("is shut for web pages, with a token or without: %o", async (headers) => {
    const before = await ask("GET", "/deployments");
    const refused = { status: 403, body: { error: { code: "origin.refused" } } };
    expect(await ask("GET", "/deployments", undefined, headers)).toMatchObject(refused);
    expect(await ask("POST", "/sources", { site: "web", sha256, bytes: 1 }, { ...headers, "content-type": "text/plain" })).toMatchObject(
      refused,
    );
    expect(await ask("GET", "/health", undefined, headers)).toMatchObject(refused);
    const preflight = await room.app.request("/v1/deployments", { method: "OPTIONS", headers });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    expect(await ask("GET", "/deployments")).toEqual(before);
  });

  it("is open for an address that a person typed", async () => {
    expect((await ask("GET", "/health", undefined, { "sec-fetch-site": "none" })).status).toBe(200);
  });

  it("is open for health alone", async () => {
    expect(await (await room.app.request("/v1/health")).json()).toEqual({ ok: true });
    expect((await room.app.request("/v1/environments")).status).toBe(401);
    for (const authorization of ["Bearer wrong", `Basic ${TOKEN}`, `Bearer ${hash("sha256", TOKEN, "hex")}`, "Bearer "]) {
      const answer = await ask("GET", "/environments", undefined, { authorization });
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "token.unknown" } } });
    }
    expect((await ask("GET", "/environments")).status).toBe(200);
  });

  it("names the field that is wrong", async () => {
    const wrong = await ask("POST", "/sources", { site: "Web", sha256, bytes: "many" });
    expect(wrong.status).toBe(400);
    expect(wrong.body.error.code).toBe("body.invalid");
    expect(wrong.body.error.message).toContain('"site": must be 1-20 characters');
    expect(wrong.body.error.message).toContain('"bytes": ');
    expect((await ask("POST", "/sources", "{")).body.error.message).toContain("The body is not JSON");
    expect((await ask("POST", "/sources", { site: "web", sha256, bytes: 1, extra: 1 })).body.error.message).toContain("extra");
    expect((await ask("GET", "/deployments?limit=many")).body.error.message).toContain('"limit"');
    expect((await ask("GET", "/events?since=yesterday")).body.error.message).toContain('"since"');
  });

  it("answers in its own shape for unknown routes, names and ids, and for what is too large", async () => {
    expect(await ask("GET", "/nothing")).toMatchObject({ status: 404, body: { error: { code: "route.unknown" } } });
    expect(await ask("GET", "/deployments/dep_0123")).toMatchObject({ status: 404, body: { error: { code: "deployment.unknown" } } });
    expect(await ask("GET", "/deployments/..%2fx")).toMatchObject({ status: 404, body: { error: { code: "deployment.unknown" } } });
    expect(await ask("GET", `/deployments/dep_${"0".repeat(26)}/events`)).toMatchObject({ status: 404 });
    const unknown = await ask("POST", "/environments/web/nope/pin", { reason: "r" });
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: "environment.unknown" } } });
    expect(unknown.body.error.message).toContain("web/production");
    expect(await ask("POST", "/sources", { site: "nope", sha256, bytes: 1 })).toMatchObject({
      status: 404,
      body: { error: { code: "site.unknown" } },
    });
    expect(await ask("POST", "/sources", "x".repeat(1_000_001))).toMatchObject({ status: 413, body: { error: { code: "body.large" } } });
  });

  it("keeps a fault's text for the operator", async () => {
    const broken = createApi({
      ...apiPorts(room.engine),
      deadLetters: { ...apiPorts(room.engine).deadLetters, list: () => Promise.reject(new Error("secret-host is away")) },
    });
    const answer = await broken.request("/v1/dead-letters", { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret-host");
    expect(JSON.stringify(room.reported.at(-1))).toContain("secret-host is away");
    expect(JSON.stringify(room.reported)).not.toContain(TOKEN);
  });
});

describe("a source", () => {
  it("is put where its digest says, by an address that takes nothing else", async () => {
    const { body } = await ask("POST", "/sources", { site: "wiki", sha256, bytes: zip.length });
    expect(body.source).toEqual({ key: `sources/wiki/${sha256}.zip`, sha256, bytes: zip.length });
    expect(new URL(body.upload.url).searchParams.get("X-Amz-SignedHeaders")).toContain("x-amz-checksum-sha256");
    expect((await fetch(body.upload.url, { method: "PUT", headers: body.upload.headers, body: "something else" })).status).toBe(400);

    expect((await fetch(body.upload.url, { method: "PUT", headers: body.upload.headers, body: zip })).status).toBe(200);
    expect((await ask("POST", "/sources", { site: "wiki", sha256, bytes: zip.length })).body).toEqual({
      source: body.source,
      upload: null,
    });
  });

  it("must be there, under its own key, before it is deployed", async () => {
    const source = { key: `sources/news/${sha256}.zip`, sha256, bytes: 1 };
    const missing = await ask("POST", "/deployments", { site: "news", environment: "production", source });
    expect(missing).toMatchObject({ status: 409, body: { error: { code: "source.missing" } } });

    await room.clients.s3.send(new PutObjectCommand({ Bucket: BUCKETS.sources, Key: source.key, Body: zip }));
    const elsewhere = await ask("POST", "/deployments", {
      site: "news",
      environment: "production",
      source: { ...source, key: "sources/web/other.zip" },
    });
    expect(elsewhere).toMatchObject({ status: 409, body: { error: { code: "source.missing" } } });
  });
});

describe("a deployment", () => {
  it("is queued once for each key, and seen at once", async () => {
    const first = await deploy("docs", "key-1");
    expect(first).toMatchObject({
      status: 202,
      body: { deployment: { status: "queued", sequence: 1, actor: "alice (token default)", trigger: "api", version: 1 } },
    });
    expect((await deploy("docs", "key-1")).body.deployment.id).toBe(first.body.deployment.id);
    const second = await deploy("docs", "key-2");
    expect(second.body.deployment.sequence).toBe(2);

    const { id } = first.body.deployment;
    expect((await ask("GET", `/deployments/${id}`)).body).toMatchObject({ deployment: { id }, progress: null });
    expect((await ask("GET", `/deployments/${id}/events`)).body).toMatchObject({
      events: [{ type: "DeploymentQueued", version: 1 }],
      version: 1,
    });
    expect((await ask("GET", `/deployments/${id}/events?after=1`)).body).toEqual({ events: [], version: 1 });
    expect((await ask("GET", "/environments/docs/production/events?after=1")).body).toMatchObject({
      events: [{ type: "DeploymentAdmitted" }],
      version: 2,
    });
  });

  it("is found by the beginning of its id, and listed newest first", async () => {
    const ids: string[] = [];
    for (const key of ["a", "b"]) {
      const { id } = (await deploy("shop", key)).body.deployment;
      await project({ read: room.engine.store.read, views: room.engine.views })({ stream: `deployment/${id}`, version: 1 });
      ids.push(id);
    }
    const [older = "", newer = ""] = ids;
    expect((await ask("GET", "/deployments?site=shop")).body.deployments.map(({ id }: { id: string }) => id)).toEqual([newer, older]);
    expect((await ask("GET", "/deployments?site=shop&status=failed")).body.deployments).toEqual([]);
    expect((await ask("GET", "/deployments?limit=1")).body.deployments).toHaveLength(1);
    expect((await ask("GET", "/deployments?site=nope")).status).toBe(404);

    const unique = newer.slice(4, 29);
    expect((await ask("GET", `/deployments/${unique.toLowerCase()}`)).body.deployment.id).toBe(newer);
    const ambiguous = await ask("POST", `/deployments/${newer.slice(0, 8)}/cancel`);
    expect(ambiguous).toMatchObject({ status: 409, body: { error: { code: "id.ambiguous" } } });
    expect(ambiguous.body.error.candidates).toEqual(expect.arrayContaining(ids));
  });

  it("is cancelled once, and is tried again from its source", async () => {
    const { id } = (await deploy("blog", "first")).body.deployment;
    expect(await ask("POST", `/deployments/${id}/retry`)).toMatchObject({ status: 409, body: { error: { code: "deployment.running" } } });

    const cancelled = await ask("POST", `/deployments/${id}/cancel`, { reason: "typo" }, { "idempotency-key": "c" });
    expect(cancelled).toMatchObject({ status: 202, body: { deployment: { status: "cancelling", reason: "typo" } } });
    expect((await ask("POST", `/deployments/${id}/cancel`, { reason: "typo" }, { "idempotency-key": "c" })).status).toBe(202);
    expect(await ask("POST", `/deployments/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { error: { code: "deployment.cancelling" } },
    });

    await room.engine.aggregates.deployment.execute(id, { type: "RecordBuildStopped", buildId: null, reason: "none" }, because("stopped"));
    const again = await ask("POST", `/deployments/${id}/retry`, { reason: "second try" }, { "idempotency-key": "r" });
    expect(again).toMatchObject({
      status: 202,
      body: { deployment: { status: "queued", retryOf: id, trigger: "retry", why: "second try", reusedFrom: null } },
    });
    expect((await ask("POST", `/deployments/${id}/retry`, { reason: "second try" }, { "idempotency-key": "r" })).body.deployment.id).toBe(
      again.body.deployment.id,
    );
  });

  it("that was built before it failed is tried again without building", async () => {
    const { id } = (await deploy("blog", "second")).body.deployment;
    await build(id, 7);
    await room.engine.aggregates.deployment.execute(
      id,
      { type: "FailDeployment", step: "publish", reason: "S3 was away" },
      because("failed"),
    );
    const { body } = await ask("POST", `/deployments/${id}/retry`);
    expect(body.deployment).toMatchObject({ status: "built", retryOf: id, reusedFrom: id, releaseId: id, artifact: artifact(7) });
  });

  it("has its build's lines", async () => {
    const { id } = (await deploy("blog", "third")).body.deployment;
    expect((await ask("GET", `/deployments/${id}/logs`)).body).toEqual({ lines: [], next: null, done: false });
    await build(id, 8);
    // the build has ended, and its log is not there yet
    expect((await ask("GET", `/deployments/${id}/logs`)).body).toEqual({ lines: [], next: null, done: true });
    room.endpoint.logs.append("/aws/codebuild/shiplog", "one", [
      { timestamp: 1_000, message: "first" },
      { timestamp: 2_000, message: "second" },
    ]);
    const page = (await ask("GET", `/deployments/${id}/logs`)).body;
    expect(page).toMatchObject({ lines: [{ message: "first" }, { message: "second" }], done: false });
    expect((await ask("GET", `/deployments/${id}/logs?next=${encodeURIComponent(page.next)}`)).body).toMatchObject({
      lines: [],
      done: true,
    });
    for (const token of ["x", "", "f/", "f/-1"])
      expect(await ask("GET", `/deployments/${id}/logs?next=${encodeURIComponent(token)}`)).toMatchObject({
        status: 400,
        body: { error: { code: "query.invalid", message: expect.stringContaining('"next": must be the "next" of an earlier answer') } },
      });
  });
});

describe("an environment", () => {
  it("is there before its first deployment, with its address", async () => {
    const { body } = await ask("GET", "/environments");
    expect(body.environments).toHaveLength(7);
    expect((await ask("GET", "/environments/web/staging")).body.environment).toMatchObject({
      live: null,
      url: "https://web.example.com",
      version: 0,
    });
  });

  it("rolls back to what was live before, once for each key, and is pinned", async () => {
    const nothing = await ask("POST", "/environments/web/production/rollback", {});
    expect(nothing).toMatchObject({ status: 409, body: { error: { code: "rollback.nothing" } } });
    expect(nothing.body.error.message).toBe("web/production cannot be rolled back: nothing was ever live here.");
    const plan = async (query = "") => (await ask("GET", `/environments/web/production/rollback${query}`)).body;
    expect(await plan()).toEqual({ plan: null, refusal: { code: "rollback.nothing", message: "nothing was ever live here" } });

    const first = (await deploy("web", "one")).body.deployment.id;
    await goLive("web", first, 1, 1);
    const second = (await deploy("web", "two")).body.deployment.id;
    await goLive("web", second, 2, 2);
    const planned = await plan();
    expect(planned).toMatchObject({
      plan: {
        from: { deploymentId: second, sequence: 2, goingLive: false, actor: "alice (token default)", live: { until: null } },
        to: { deploymentId: first, sequence: 1, commit: null },
        already: null,
        skipped: [],
        caution: null,
      },
      refusal: null,
    });
    const { since, until, ms } = planned.plan.to.live;
    expect(ms).toBe(Date.parse(until) - Date.parse(since));
    expect(until).toBe(planned.plan.from.live.since);
    const late = await ask("POST", "/environments/web/production/rollback", { to: first, from: first });
    expect(late).toMatchObject({ status: 409, body: { error: { code: "rollback.changed" } } });
    expect(late.body.error.message).toContain(`by now ${second} is live; look again`);
    const rollback = () => ask("POST", "/environments/web/production/rollback", { reason: "it is broken" }, { "idempotency-key": "back" });
    const started = await rollback();
    expect(started).toMatchObject({ status: 202, body: { sequence: 3, deploymentId: first, previous: second, alreadyLive: false } });
    expect((await ask("GET", "/environments/web/production")).body.environment).toMatchObject({
      pin: { reason: "it is broken", actor: "alice (token default)" },
    });

    await room.engine.aggregates.environment.execute("web", "production", { type: "RecordWentLive", sequence: 3 }, because("live-3"));
    // the key's first answer, from where its end can be found, however far the stream has gone
    expect(await rollback()).toEqual(started);
    const { events } = (await ask("GET", `/environments/web/production/events?after=${started.body.version}`)).body;
    expect(events).toMatchObject([{ type: "ReleaseWentLive", body: { sequence: 3 } }]);

    expect((await plan()).refusal.message).toContain(`${second}: alice (token default) rolled it back to ${first} (#3): it is broken`);
    expect((await plan(`?to=${second}`)).plan).toMatchObject({ to: { deploymentId: second }, caution: { is: "taken-down" } });
    expect((await ask("POST", "/environments/web/production/rollback", { to: first })).body).toMatchObject({
      alreadyLive: true,
      deploymentId: first,
    });
    const history = async (query = "") => (await ask("GET", `/environments/web/production/history${query}`)).body;
    const all = await history();
    expect(all).toMatchObject({
      changes: [
        { deploymentId: first, sequence: 3, how: "rollback", by: "alice (token default)", why: "it is broken", until: null, ended: null },
        { deploymentId: second, sequence: 2, how: "deploy", ended: { how: "rollback", why: "it is broken", to: first } },
        { deploymentId: first, sequence: 1, how: "deploy", previous: null, ended: { how: "deploy", to: second } },
      ],
      next: null,
    });
    // page by page it is the same
    const pages: unknown[] = [];
    for (let before = ""; ; ) {
      const { changes, next } = await history(`?limit=1${before}`);
      pages.push(...changes.map(({ ms: _, ...change }: { ms: number }) => change));
      if (next === null) break;
      before = `&before=${next}`;
    }
    expect(pages).toEqual(all.changes.map(({ ms: _, ...change }: { ms: number }) => change));
    expect((await ask("GET", "/environments/web/production/history?limit=101")).status).toBe(400);
    // as it was when the second was live: what came later had not happened
    const moment = new Date(Date.parse(all.changes[0].since) - 1).toISOString();
    const then = await history(`?at=${moment}`);
    expect(then).toMatchObject({
      changes: [
        { deploymentId: second, until: null, ended: null, ms: Date.parse(moment) - Date.parse(all.changes[1].since) },
        { deploymentId: first, sequence: 1, ended: { to: second } },
      ],
      next: null,
    });
    expect((await history("?at=2020-01-01")).changes).toEqual([]);

    const never = (await deploy("web", "three")).body.deployment.id;
    expect(await ask("POST", "/environments/web/production/rollback", { to: never })).toMatchObject({
      status: 409,
      body: { error: { code: "release.never-live" } },
    });
    expect(await ask("POST", `/deployments/${first}/retry`)).toMatchObject({
      status: 409,
      body: { error: { code: "deployment.succeeded" } },
    });
  });

  it("is locked against everybody else, until its holder or force unlocks it", async () => {
    const until = new Date(Date.now() + 3_600_000);
    const locked = await ask("POST", "/environments/wiki/production/lock", {
      reason: "migration",
      until: until.toISOString().replace("Z", "+00:00"),
    });
    expect(locked).toMatchObject({
      status: 200,
      body: { environment: { lock: { holder: "alice (token default)", reason: "migration", until: until.toISOString() } } },
    });

    const bob = { "x-shiplog-actor": "bob" };
    expect(await ask("POST", "/environments/wiki/production/unlock", {}, bob)).toMatchObject({
      status: 409,
      body: { error: { code: "environment.locked" } },
    });
    expect(await ask("POST", "/environments/wiki/production/unlock", { force: true }, bob)).toMatchObject({
      status: 200,
      body: { environment: { lock: null } },
    });
    expect(await ask("POST", "/environments/wiki/production/pin", {})).toMatchObject({ status: 400 });
  });

  it("believes of a claimed name only what cannot be taken for a proof", async () => {
    await ask(
      "POST",
      "/environments/news/production/pin",
      { reason: "r" },
      { "x-shiplog-actor": `root (token other)${"x".repeat(100)}`, authorization: `Bearer ${OTHER_TOKEN}` },
    );
    const { actor } = (await ask("GET", "/environments/news/production")).body.environment.pin;
    expect(actor).toMatch(/^root token otherx{48} \(token other\)$/);
  });
});

describe("the log", () => {
  it("is read in order, in pages that lose nothing, and by place and type", async () => {
    const everything = (await ask("GET", "/events?limit=1000")).body.events;
    expect(everything.length).toBeGreaterThan(20);
    const positions = everything.map(({ position }: { position: string }) => position);
    expect(positions).toEqual(positions.toSorted());

    // as it will be read when it has settled
    const later = createApi({ ...apiPorts(room.engine), clock: { now: () => Date.now() + 20_000 } });
    const seen: string[] = [];
    for (let since = "", more = true; more; ) {
      const answer = await later.request(`/v1/events?limit=7${since && `&since=${since}`}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const { events, next } = (await answer.json()) as { events: { id: string }[]; next: string };
      more = events.length > 0;
      since = next;
      seen.push(...events.map(({ id }) => id));
    }
    expect(seen).toEqual(everything.map(({ id }: { id: string }) => id));

    // where the newest seconds hold more than a page: they are given again, so they are given whole
    const busy = createApi({ ...apiPorts(room.engine), clock: { now: () => Number(positions[6]) + 10_000 } });
    const fresh = new Set<string>();
    for (let since = positions[0], more = true; more; ) {
      const answer = await busy.request(`/v1/events?limit=3&since=${since}`, { headers: { authorization: `Bearer ${TOKEN}` } });
      const { events, next } = (await answer.json()) as { events: { id: string }[]; next: string };
      more = events.some(({ id }) => !fresh.has(id));
      since = next;
      for (const { id } of events) fresh.add(id);
    }
    expect([...fresh].sort()).toEqual(everything.map(({ id }: { id: string }) => id).sort());
    expect(await ask("GET", "/events?since=2099-01-01")).toMatchObject({ status: 200, body: { events: [] } });

    // up to a moment, that one included, whole and by pages
    const moment = positions[9];
    const before = everything.filter(({ position }: { position: string }) => position <= moment).map(({ id }: { id: string }) => id);
    const then: string[] = [];
    for (let since = positions[0], more = true; more; ) {
      const answer = await later.request(`/v1/events?limit=4&until=${moment}&since=${since}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const { events, next } = (await answer.json()) as { events: { id: string }[]; next: string };
      more = events.length > 0;
      since = next;
      then.push(...events.map(({ id }) => id));
    }
    expect(then).toEqual(before);
    expect((await ask("GET", `/events?until=${moment}&limit=1000`)).body.events.map(({ id }: { id: string }) => id)).toEqual(before);

    const ofShop = (await ask("GET", "/events?site=shop&environment=production")).body.events;
    expect(new Set(ofShop.map(({ type }: { type: string }) => type))).toEqual(new Set(["DeploymentAdmitted", "DeploymentQueued"]));
    expect((await ask("GET", "/events?type=EnvironmentLocked")).body.events).toHaveLength(1);
    expect((await ask("GET", `/events?since=${positions.at(-1)}`)).body.events.length).toBeGreaterThan(0);
  });
});

describe("a webhook endpoint", () => {
  it("must be a public address, unless the engine was told otherwise", async () => {
    for (const url of ["http://127.0.0.1:9/hook", "https://127.0.0.1/hook", "https://localhost/hook", "https://[::1]/hook"])
      expect(await ask("POST", "/webhooks", { kind: "standard", url })).toMatchObject({
        status: 400,
        body: { error: { code: "url.refused" } },
      });
    expect((await ask("GET", "/webhooks")).body).toEqual({ webhooks: [] });
  });

  const command = (which: typeof room.app, path: string, key: string) =>
    which.request(`/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "idempotency-key": key },
      ...(path === "/webhooks" && { body: JSON.stringify({ kind: "standard", url: `https://8.8.8.8/${key}` }) }),
    });
  const added = async (key: string): Promise<string> => {
    const { webhook } = (await (await command(room.app, "/webhooks", key)).json()) as { webhook: { id: string } };
    return webhook.id;
  };
  const told = async (id: string, type: string) =>
    (await room.engine.store.read(webhookStream(id), 0)).flatMap(eventsOf).filter((event) => event.type === type);

  it("is noted before it is in the log, so that it is found wherever a wrong clock dates it", async () => {
    const ports = apiPorts(room.engine);
    const away = () => Promise.reject(new Error("it was away"));
    const noLog = createApi({ ...ports, aggregates: { ...ports.aggregates, webhook: { ...ports.aggregates.webhook, execute: away } } });
    const before = (await room.engine.views.begun()).length;
    expect((await command(noLog, "/webhooks", "cut-off")).status).toBe(500);
    const noted = await room.engine.views.begun();
    expect(noted).toHaveLength(before + 1);
    expect(noted.map(({ stream }) => stream)).toContain(webhookStream(await added("cut-off")));
  });

  /** What the reconciler mends so much later, where there is no site to look at. */
  const reconcileAfter = (ms: number) =>
    reconciler({
      ...room.engine,
      config: { ...room.engine.config, sites: [] },
      views: { ...room.engine.views, active: async () => [] },
      functions: { ...room.engine.functions, codeStorage: async () => ({ used: 0, limit: 1 }) },
      clock: { ...systemClock, now: () => Date.now() + ms },
    })({});

  const projected = (id: string, version: number) =>
    project({ read: room.engine.store.read, views: room.engine.views })({ stream: webhookStream(id), version });

  it.each(["its secret is kept", "its secret was asked for", "it is noted"])(
    "whose adding is cut off once %s leaves no secret behind a day later, nor one that is in use without",
    async (step) => {
      const ports = apiPorts(room.engine);
      const dies = () => Promise.reject(new Error("the process was killed"));
      const ids: string[] = [];
      const secrets = {
        ...ports.webhooks.secrets,
        create: async (id: string, secret: Parameters<typeof room.engine.webhookSecrets.create>[1]) => {
          ids.push(id);
          if (step === "it is noted") return dies();
          const kept = await room.engine.webhookSecrets.create(id, secret);
          return step === "its secret is kept" ? kept : dies();
        },
      };
      const webhook = { ...ports.aggregates.webhook, execute: dies };
      const dying = createApi({
        ...ports,
        aggregates: { ...ports.aggregates, webhook },
        webhooks: { ...ports.webhooks, secrets },
      });
      const key = step.replaceAll(" ", "-");
      const used = await added(`${key}-in-use`);
      await projected(used, 1);
      expect((await command(dying, "/webhooks", key)).status).toBe(500);
      const [id = ""] = ids;
      await reconcileAfter(2 * HOUR);
      expect((await room.engine.webhookSecrets.read(id)) !== undefined).toBe(step !== "it is noted");
      await reconcileAfter(25 * HOUR);
      expect(await room.engine.webhookSecrets.read(id)).toBeUndefined();
      expect(await room.engine.webhookSecrets.read(used)).toBeDefined();
      // whoever stood still all that time adds nothing that has no secret
      expect((await command(room.app, "/webhooks", key)).status).toBe(409);
      expect(await room.engine.webhookSecrets.read(id)).toBeUndefined();
      expect((await told(id, "WebhookRemoved")).map(({ body }) => body)).toEqual([{ reason: "its adding was cut off" }]);
    },
  );

  it("whose removing is cut off leaves no secret behind, nor does adding it once more with the same key", async () => {
    const id = await added("cut-off-at-its-end");
    await projected(id, 1);
    for (let times = 0; times < 2; times++) await reconcileAfter(HOUR);
    expect((await room.engine.views.begun()).map(({ stream }) => stream)).not.toContain(webhookStream(id));
    const ports = apiPorts(room.engine);
    const secrets = { ...ports.webhooks.secrets, forget: () => Promise.reject(new Error("the process was killed")) };
    const dying = createApi({ ...ports, webhooks: { ...ports.webhooks, secrets } });
    expect((await command(dying, `/webhooks/${id}/remove`, "cut-off-remove")).status).toBe(500);
    await reconcileAfter(HOUR);
    await projected(id, 2);
    await reconcileAfter(HOUR);
    expect(await room.engine.webhookSecrets.read(id)).toBeUndefined();

    expect((await command(room.app, "/webhooks", "cut-off-at-its-end")).status).toBe(404);
    expect(await room.engine.webhookSecrets.read(id)).toBeUndefined();
  });

  it("that is a subscription is sent nothing beside the log: no trial, and nothing once more", async () => {
    const { body } = await ask("POST", "/subscriptions", { url: "https://8.8.8.8/log" });
    const { id } = body.subscription;
    for (const path of ["test", "deliveries/msg_1/redeliver"])
      expect(await ask("POST", `/webhooks/${id}/${path}`, {})).toMatchObject({
        status: 409,
        body: { error: { code: "webhook.in-order" } },
      });
    expect(await room.engine.views.deliveries(id, 10)).toEqual([]);
    expect((await ask("POST", `/webhooks/${id}/remove`, {})).status).toBe(200);
    expect(await ask("GET", `/subscriptions/${id}`)).toMatchObject({
      status: 404,
      body: { error: { code: "subscription.unknown", message: expect.stringContaining("shiplog subscriptions ls") } },
    });
  });

  it("that is a subscription is as far behind as what it was not told is old, wherever it begins", async () => {
    const { body } = await ask("POST", "/subscriptions", { url: "https://8.8.8.8/lag", from: "beginning" });
    const { events, seconds } = body.subscription.lag;
    const [first] = (await ask("GET", "/events?since=000000000000000&limit=1")).body.events;
    expect(events).toBeGreaterThan(0);
    expect(Math.abs(seconds - (Date.now() - Number(first.position)) / 1_000)).toBeLessThan(60);
    expect((await ask("POST", `/webhooks/${body.subscription.id}/remove`, {})).status).toBe(200);
  });

  it("that is a subscription begins at no time that has not come: what happens until then would never be told", async () => {
    const { body } = await ask("POST", "/subscriptions", { url: "https://8.8.8.8/ahead", from: "beginning" });
    const { id } = body.subscription;
    const soon = new Date(Date.now() + 2_000).toISOString();
    for (const [path, more] of [
      ["/subscriptions", { url: "https://8.8.8.8/2030" }],
      [`/subscriptions/${id}/reset`, {}],
    ] as const)
      expect(await ask("POST", path, { ...more, from: "2130-01-01T00:00:00Z" })).toMatchObject({
        status: 400,
        body: { error: { code: "body.invalid", message: expect.stringContaining('"from": 2130-01-01T00:00:00Z has not come yet') } },
      });
    expect((await ask("GET", `/subscriptions/${id}`)).body.subscription.from).toBe("0".repeat(15));
    // clocks differ by as much
    expect((await ask("POST", `/subscriptions/${id}/reset`, { from: soon })).status).toBe(200);
    expect((await ask("POST", `/webhooks/${id}/remove`, {})).status).toBe(200);
  });

  it("that is removed while it is told leaves no place behind, and one that is not removed keeps its own", async () => {
    const [id, used] = [await added("told-to-its-end"), await added("told-on")];
    const { views } = room.engine;
    const place = { resets: 0, at: "0".repeat(15), failing: null };
    await views.setPlace(used, place, 0);
    for (const one of [id, used]) await projected(one, 1);
    expect((await command(room.app, `/webhooks/${id}/remove`, "told-remove")).status).toBe(200);
    // the request that was on its way meanwhile was taken
    await views.setPlace(id, place, 0);
    await projected(id, 2);
    for (let times = 0; times < 2; times++) await reconcileAfter(HOUR);
    expect([await views.place(id), (await views.place(used))?.place]).toEqual([undefined, place]);
  });

  it("keeps what it signs with where a rotation is cut off, and its repetition ends it: one new secret for each key", async () => {
    const id = await added("to-rotate");
    const ports = apiPorts(room.engine);
    const away = () => Promise.reject(new Error("it was away"));
    const noLog = createApi({ ...ports, aggregates: { ...ports.aggregates, webhook: { ...ports.aggregates.webhook, execute: away } } });
    const noSecret = createApi({ ...ports, webhooks: { ...ports.webhooks, secrets: { ...ports.webhooks.secrets, write: away } } });
    const signing = async () => (await room.engine.webhookSecrets.read(id))?.signing ?? [];
    for (const broken of [noLog, noSecret]) {
      expect((await command(broken, `/webhooks/${id}/rotate`, "r1")).status).toBe(500);
      // nobody was told of a new secret, so the one that receivers have does not end
      expect((await signing()).map(({ until }) => until)).toEqual([null]);
    }

    const repeat = async (key: string) => (await (await command(room.app, `/webhooks/${id}/rotate`, key)).json()) as { secret: string };
    const first = await repeat("r1");
    expect(first).toMatchObject({ secret: (await signing())[0]?.secret, webhook: { rotatedAt: expect.any(String) } });
    const [rotated] = await told(id, "WebhookSecretRotated");
    const promised = rotated?.body as { previousUntil: string } | undefined;
    expect((await signing())[1]?.until).toBeGreaterThanOrEqual(Date.parse(promised?.previousUntil ?? ""));

    const { secret } = await repeat("r2");
    expect(secret).not.toBe(first.secret);
    // an answer that comes late is still the answer to what was asked
    expect(await repeat("r1")).toMatchObject({ secret: first.secret });
    expect(await repeat("r2")).toMatchObject({ secret });
    expect(await told(id, "WebhookSecretRotated")).toHaveLength(2);
    expect(await signing()).toHaveLength(3);
  });

  it("that is tried out is never noted as waiting for what no queue has, and is tried once for each key", async () => {
    const id = await added("to-try");
    const ports = apiPorts(room.engine);
    const sent: string[] = [];
    const away = () => Promise.reject(new Error("it was away"));
    const hooks = { ...ports.webhooks, send: async (body: string) => void sent.push(body) };
    const noQueue = createApi({ ...ports, webhooks: { ...hooks, send: away } });
    const noRow = createApi({ ...ports, webhooks: { ...hooks, rows: { ...hooks.rows, noteDelivery: away } } });
    const whole = createApi({ ...ports, webhooks: hooks });
    const deliveries = async () => (await room.engine.views.deliveries(id, 10)).map(({ status }) => status);

    expect((await command(noQueue, `/webhooks/${id}/test`, "t1")).status).toBe(500);
    expect([await deliveries(), sent.length]).toEqual([[], 0]);
    expect((await command(noRow, `/webhooks/${id}/test`, "t1")).status).toBe(500);
    expect([await deliveries(), sent.length]).toEqual([[], 1]);
    for (let times = 0; times < 2; times++) expect((await command(whole, `/webhooks/${id}/test`, "t1")).status).toBe(202);
    expect([await deliveries(), sent.length]).toEqual([["pending"], 2]);
    expect(new Set(sent.map((body) => (JSON.parse(body) as { delivery: string }).delivery)).size).toBe(1);
  });

  it("that is enabled begins anew, or is not enabled", async () => {
    const id = await added("to-enable");
    await room.engine.aggregates.webhook.execute(id, { type: "DisableWebhook", reason: "it failed" }, because("disable"));
    await room.engine.views.setHealth(id, { failingSince: 1, throttledUntil: 2 });
    const ports = apiPorts(room.engine);
    const rows = { ...ports.webhooks.rows, setHealth: () => Promise.reject(new Error("the table was away")) };
    const broken = createApi({ ...ports, webhooks: { ...ports.webhooks, rows } });
    expect((await command(broken, `/webhooks/${id}/enable`, "e1")).status).toBe(500);
    expect((await room.engine.aggregates.webhook.load(id)).state.disabled).toBe("it failed");
    expect((await command(room.app, `/webhooks/${id}/enable`, "e1")).status).toBe(200);
    expect((await room.engine.aggregates.webhook.load(id)).state.disabled).toBeNull();
    expect(await room.engine.views.health(id)).toMatchObject({ failingSince: 0, throttledUntil: 0 });
  });

  it("that is removed is removed again with the same answer, and its secret is forgotten where it was not", async () => {
    const id = await added("to-remove");
    const ports = apiPorts(room.engine);
    const secrets = { ...ports.webhooks.secrets, forget: () => Promise.reject(new Error("the secrets were away")) };
    const broken = createApi({ ...ports, webhooks: { ...ports.webhooks, secrets } });
    expect((await command(broken, `/webhooks/${id}/remove`, "gone")).status).toBe(500);
    expect(await room.engine.webhookSecrets.read(id)).toBeDefined();

    const first = await command(room.app, `/webhooks/${id}/remove`, "gone");
    const [removed] = await told(id, "WebhookRemoved");
    const answer = await first.json();
    expect([first.status, answer]).toMatchObject([200, { webhook: { id, removedAt: removed?.at } }]);
    expect(await room.engine.webhookSecrets.read(id)).toBeUndefined();
    for (const key of ["gone", "once-more"]) expect(await (await command(room.app, `/webhooks/${id}/remove`, key)).json()).toEqual(answer);
    expect(await told(id, "WebhookRemoved")).toHaveLength(1);

    for (const path of [`${id}/rotate`, `${id}/enable`, `wh_${"0".repeat(26)}/remove`])
      expect(await ask("POST", `/webhooks/${path}`, {})).toMatchObject({ status: 404, body: { error: { code: "webhook.unknown" } } });
  });
});

describe("the dead letters", () => {
  it("shows what no consumer could take, with the reason", async () => {
    expect((await ask("GET", "/dead-letters")).body).toEqual({ letters: [], unread: [] });
    const record = { messageId: "m1", body: '{"strange":true}', attributes: { ApproximateReceiveCount: "1" } } as never;
    await room.engine.queues.redelivery("project").deadLetter(record, "it is strange");
    expect((await ask("GET", "/dead-letters")).body.letters).toMatchObject([
      { consumer: "project", reason: "it is strange", body: '{"strange":true}' },
    ]);
    expect(deadLetterName("project")).toBe("shiplog-project-dead");
  });
});
