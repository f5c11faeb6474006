import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineConfig } from "../../blueprint/engine-config.ts";
import { sessionStream } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { project } from "../../services/project/project.ts";
import { type Answer, type ApiRoom, openApiRoom, READ_TOKEN, TOKEN } from "../support/api-room.ts";
import { siteConfigOf } from "../support/site-config.ts";

const HOUR = 3_600_000;

let room: ApiRoom;
/** How far the API's clock is ahead of this machine's. */
let ahead = 0;
/** The configuration as the API has it: a token can be taken away. */
const tokens: EngineConfig["tokens"] = {};
beforeAll(async () => {
  room = await openApiRoom({ sites: [siteConfigOf("web", "production")] }, (ports) => {
    Object.assign(tokens, ports.config.tokens);
    return { ...ports, config: { ...ports.config, tokens }, clock: { now: () => Date.now() + ahead } };
  });
}, 60_000);
afterAll(() => room.close());

const by = (bearer: string) => ({ authorization: `Bearer ${bearer}` });
const begin = (kind = "browser", bearer = TOKEN): Promise<Answer> => room.ask("POST", "/sessions", { kind }, by(bearer));
const begun = async (kind = "browser", bearer = TOKEN): Promise<{ id: string; secret: string }> => {
  const { body } = await begin(kind, bearer);
  return { id: body.session.id, secret: body.secret };
};
const asks = async (bearer: string, path = "/environments", method = "GET", body?: object): Promise<[number, string | undefined]> => {
  const answer = await room.ask(method, path, body, by(bearer));
  return [answer.status, answer.body.error?.code];
};
const stored = async (id: string) => (await room.engine.store.read(sessionStream(id), 0)).flatMap(eventsOf);
const projected = async (id: string): Promise<void> => {
  const { length: version } = await stored(id);
  await project({ read: room.engine.store.read, views: room.engine.views })({ stream: sessionStream(id), version });
};

describe("a session", () => {
  it("acts as who began it, whatever a request claims", async () => {
    const { id, secret } = await begun();
    expect((await room.ask("GET", "/caller", undefined, { ...by(secret), "x-shiplog-actor": "mallory" })).body.caller).toMatchObject({
      token: "default",
      scope: "all",
      actor: "alice (token default)",
      session: { id, kind: "browser", ended: null },
    });
    await room.ask("POST", "/environments/web/production/pin", { reason: "by a session" }, by(secret));
    const { events } = (await room.ask("GET", "/environments/web/production/events")).body;
    expect(events.at(-1)).toMatchObject({ type: "EnvironmentPinned", actor: "alice (token default)", origin: `session:${id} unknown` });
  });

  it("keeps its secret and the token out of the log, the list and what it is asked", async () => {
    const { id, secret } = await begun();
    await projected(id);
    const [event] = await stored(id);
    expect(event).toMatchObject({
      type: "SessionBegan",
      body: { token: "default", kind: "browser", proof: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const told = JSON.stringify([
      event,
      (await room.ask("GET", "/sessions")).body,
      (await room.ask("GET", "/caller", undefined, by(secret))).body,
    ]);
    for (const kept of [secret, secret.slice(31), TOKEN, hash("sha256", TOKEN, "hex")]) expect(told).not.toContain(kept);
  });

  it.each([
    ["another secret", (secret: string) => `${secret.slice(0, -3)}AAA`],
    ["another session's secret", (secret: string, other: string) => secret.slice(0, 31) + other.slice(31)],
    ["no secret", (secret: string) => secret.slice(0, 31)],
    ["a session that never was", (secret: string) => `shs_${"0".repeat(26)}${secret.slice(30)}`],
  ])("lets nobody in with %s", async (_, forged) => {
    const [{ secret }, other] = await Promise.all([begun(), begun()]);
    expect(await asks(forged(secret, other.secret))).toEqual([401, "session.over"]);
    expect(await asks(secret)).toEqual([200, undefined]);
  });

  it("is over after twelve hours", async () => {
    const { secret } = await begun();
    ahead = 12 * HOUR - 60_000;
    expect(await asks(secret)).toEqual([200, undefined]);
    ahead = 12 * HOUR + 1;
    expect(await asks(secret)).toEqual([401, "session.over"]);
    ahead = 0;
  });

  it("is over at once when it is ended, by one event, and another one goes on", async () => {
    const [one, other] = await Promise.all([begun(), begun()]);
    for (let times = 0; times < 2; times++)
      expect((await room.ask("POST", `/sessions/${one.id}/end`, { reason: "lost laptop" })).body.session.ended).toMatchObject({
        actor: "alice (token default)",
        reason: "lost laptop",
      });
    expect([await asks(one.secret), await asks(other.secret)]).toEqual([
      [401, "session.over"],
      [200, undefined],
    ]);
    expect((await stored(one.id)).map(({ type }) => type)).toEqual(["SessionBegan", "SessionEnded"]);
  });

  it("is over with its token: changed, or taken away", async () => {
    const { secret } = await begun();
    const before = tokens.default as string;
    for (const [now, status] of [
      [hash("sha256", "another value", "hex"), 401],
      [before, 200],
      [undefined, 401],
    ] as const) {
      if (now === undefined) delete tokens.default;
      else tokens.default = now;
      expect((await asks(secret))[0]).toBe(status);
    }
    tokens.default = before;
  });

  it("is listed while it goes on, the newest first", async () => {
    const [first, ended, last] = [await begun(), await begun(), await begun()];
    await room.ask("POST", `/sessions/${ended.id}/end`);
    for (const { id } of [first, ended, last]) await projected(id);
    const ids = (await room.ask("GET", "/sessions")).body.sessions.map(({ id }: { id: string }) => id);
    expect(ids.filter((id: string) => [first.id, ended.id, last.id].includes(id))).toEqual([last.id, first.id]);
    ahead = 13 * HOUR;
    expect((await room.ask("GET", "/sessions")).body.sessions).toEqual([]);
    ahead = 0;
  });

  it("begins no other session", async () => {
    const { secret } = await begun();
    expect(await asks(secret, "/sessions", "POST", {})).toEqual([403, "session.begins"]);
  });

  it("tells its secret once: the same command again has none to tell", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    expect((await room.ask("POST", "/sessions", {}, key)).status).toBe(201);
    expect((await room.ask("POST", "/sessions", {}, key)).body.error.code).toBe("session.begun");
  });

  it("is one of two hundred of its token at most", async () => {
    const busy = await openApiRoom({ sites: [] }, (ports) => ({
      ...ports,
      views: { ...ports.views, sessions: async () => Array.from({ length: 200 }, () => ({ token: "default" })) as never },
    }));
    expect((await busy.ask("POST", "/sessions", {})).body.error.code).toBe("session.many");
    expect((await busy.ask("POST", "/sessions", {}, by(READ_TOKEN))).status).toBe(201);
    await busy.close();
  });

  it.each(["ses_nothing", `ses_${"0".repeat(26)}`])("that is not there cannot be ended: %s", async (id) => {
    expect((await room.ask("POST", `/sessions/${id}/end`)).body.error.code).toBe("session.unknown");
  });
});

describe("the session of a link", () => {
  it("begins one session of a browser, once, even where two follow it at the same time", async () => {
    const link = await begun("link");
    const answers = await Promise.all([begin("browser", link.secret), begin("browser", link.secret)]);
    expect(answers.map(({ status }) => status).sort()).not.toEqual([201, 201]);
    const came = answers.find(({ status }) => status === 201);
    expect(await asks(came?.body.secret)).toEqual([200, undefined]);
    expect(came?.body.session).toMatchObject({ kind: "browser", actor: "alice (token default)" });
    expect(await asks(link.secret, "/sessions", "POST", {})).toEqual([401, "session.over"]);
  });

  it("is good for nothing else, and for a minute", async () => {
    const link = await begun("link");
    for (const [path, method] of [
      ["/environments", "GET"],
      ["/environments/web/production/unpin", "POST"],
      [`/sessions/${link.id}/end`, "POST"],
    ] as const)
      expect(await asks(link.secret, path, method)).toEqual([403, "session.link"]);
    ahead = 61_000;
    expect(await asks(link.secret, "/sessions", "POST", {})).toEqual([401, "session.over"]);
    ahead = 0;
  });

  it("makes no link of a link", async () => {
    const { secret } = await begun("link");
    expect((await begin("link", secret)).body.session.kind).toBe("browser");
  });
});

describe("a token that may look", () => {
  it("looks, by itself and by a session of it, and changes nothing", async () => {
    const { secret } = await begun("browser", READ_TOKEN);
    const { routes } = room.app;
    for (const bearer of [READ_TOKEN, secret]) {
      expect(await asks(bearer)).toEqual([200, undefined]);
      expect((await room.ask("GET", "/caller", undefined, by(bearer))).body.caller.scope).toBe("read");
      const changing = new Set(
        routes
          .filter(({ method, path }) => !["GET", "ALL"].includes(method) && !path.startsWith("/v1/sessions"))
          .map(({ method, path }) => `${method} ${path}`),
      );
      expect(changing.size).toBeGreaterThan(15);
      for (const route of changing) {
        const [method = "", path = ""] = route.split(" ");
        expect([route, ...(await asks(bearer, path.replace(/^\/v1/, ""), method, {}))]).toEqual([route, 403, "token.read-only"]);
      }
    }
  });

  it("ends its own sessions, and nobody else's", async () => {
    const [own, other] = await Promise.all([begun("browser", READ_TOKEN), begun()]);
    expect(await asks(READ_TOKEN, `/sessions/${other.id}/end`, "POST")).toEqual([403, "token.read-only"]);
    expect(await asks(READ_TOKEN, `/sessions/${own.id}/end`, "POST")).toEqual([200, undefined]);
  });
});
