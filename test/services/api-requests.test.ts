import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf } from "../../engine/log/codec.ts";
import { type Answer, type ApiRoom, OTHER_TOKEN, openApiRoom } from "../support/api-room.ts";
import { siteConfigOf } from "../support/site-config.ts";

let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({
    sites: [siteConfigOf("web", "production"), siteConfigOf("web", "staging"), siteConfigOf("docs", "production")],
  });
}, 60_000);
afterAll(() => room.close());
const ask: ApiRoom["ask"] = (...given) => room.ask(...given);

const zip = Buffer.from("a zip, more or less");
const sha256 = hash("sha256", zip, "hex");
const uploaded = async (site: string): Promise<unknown> => {
  const { body } = await ask("POST", "/sources", { site, sha256, bytes: zip.length });
  if (body.upload !== null) await fetch(body.upload.url, { method: "PUT", headers: body.upload.headers, body: zip });
  return body.source;
};
const deploy = async (site: string, key: string, environment: string): Promise<Answer> =>
  ask("POST", "/deployments", { site, environment, source: await uploaded(site) }, { "idempotency-key": key });

describe("an Idempotency-Key", () => {
  const pin = (reason: string, key: string, headers: Record<string, string> = {}, path = "/environments/web/production/pin") =>
    ask("POST", path, { reason }, { "idempotency-key": key, ...headers });
  const reused = { status: 422, body: { error: { code: "key.reused" } } };
  const pins = async () =>
    (await room.engine.store.read("environment/web/production", 0)).flatMap(eventsOf).filter(({ type }) => type === "EnvironmentPinned")
      .length;

  it("with another body, path or actor is refused, and does nothing", async () => {
    expect((await pin("audit", "again")).status).toBe(200);
    expect(await pin("another", "again")).toMatchObject(reused);
    expect(await pin("audit", "again", { "x-shiplog-actor": "bob" })).toMatchObject(reused);
    expect(await pin("audit", "again", {}, "/environments/web/staging/pin")).toMatchObject(reused);
    expect((await pin("audit", "again")).status).toBe(200);
    expect(await pins()).toBe(1);
    expect((await ask("GET", "/environments/web/staging")).body.environment.pin).toBe(null);
  });

  it("is of one token alone", async () => {
    expect((await pin("audit", "again", { authorization: `Bearer ${OTHER_TOKEN}` })).status).toBe(200);
  });

  it("names the environment of a deployment too", async () => {
    const first = await deploy("web", "where", "staging");
    expect(first.status).toBe(202);
    expect(await deploy("web", "where", "production")).toMatchObject(reused);
    expect((await deploy("web", "where", "staging")).body.deployment.id).toBe(first.body.deployment.id);
  });

  it("that came with what is no request at all stays free", async () => {
    expect((await pin("", "free")).status).toBe(400);
    expect((await pin("a reason", "free")).status).not.toBe(422);
  });

  it("gives its first request to exactly one of several that come at once", async () => {
    const answers = await Promise.all(
      ["a", "b", "c", "d"].map((reason) => ask("POST", "/environments/docs/production/lock", { reason }, { "idempotency-key": "race" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422]);
  });
});

describe("text from outside", () => {
  it("is kept without what acts on a terminal or turns a line round", async () => {
    const source = await uploaded("web");
    const commit = { sha: "1234567", message: "fix\u001b[2J\u202e me\ud83d", author: "Eve\u001b]0;x\u0007\u0000", branch: "a\u2066b" };
    const { body: answer } = await ask(
      "POST",
      "/deployments",
      `{"site":"web","environment":"production","source":${JSON.stringify(source)},"commit":${JSON.stringify(commit)},"reason":"why\\r\\nnot\\u0007"}`,
    );
    expect(answer.deployment).toMatchObject({ commit: { message: "fix me\ufffd", author: "Eve", branch: "ab" }, why: "why\nnot" });
    expect((await ask("POST", "/environments/web/production/pin", { reason: "\u001b[31m\u202e\u0000" })).status).toBe(400);
  });
});

describe("the time of a request's commit", () => {
  const requested = async (commit: object) =>
    ask("POST", "/deployments", { site: "web", environment: "production", source: await uploaded("web"), commit });

  it("is kept with the request, for ever, and stays away where the client does not tell it", async () => {
    const commit = { sha: "1234567", committedAt: "2026-11-27T06:00:00Z" };
    const { body: told } = await requested(commit);
    expect(told.deployment.commit).toEqual(commit);
    const { body } = await ask("GET", `/deployments/${told.deployment.id}/events`);
    expect(body.events[0].body.request.commit).toEqual(commit);
    expect((await requested({ sha: "1234567" })).body.deployment.commit).toEqual({ sha: "1234567" });
  });

  it.each(["yesterday", "2026-11-27", "2026-02-30T00:00:00Z", "2026-11-27T08:00:00+02:00", "+275760-09-13T00:00:00.000Z", 5])(
    "is refused where it is no time in UTC: %s",
    async (committedAt) => {
      const { status, body } = await requested({ sha: "1234567", committedAt });
      expect([status, body.error.code]).toEqual([400, "body.invalid"]);
      expect(body.error.message).toContain("commit.committedAt");
    },
  );

  it("may be of a year that is still to come: it is kept as it was told", async () => {
    const commit = { sha: "1234567", committedAt: "9999-12-31T23:59:59.000Z" };
    expect((await requested(commit)).body.deployment.commit).toEqual(commit);
  });
});
