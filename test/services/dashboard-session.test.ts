import { describe, expect, it } from "vitest";
import { createDashboard } from "../../dashboard/app.ts";
import { logText } from "../../dashboard/build-log.ts";
import { positionAt } from "../../domain/kernel/position.ts";

const SECRET = `shs_${"0".repeat(26)}_${"a".repeat(43)}`;
const session = {
  id: `ses_${"0".repeat(26)}`,
  kind: "browser",
  token: "local",
  actor: "ann (token local)",
  origin: "",
  beganAt: "2026-11-27T08:00:00.000Z",
  until: "2026-11-27T20:00:00.000Z",
  ended: null,
  version: 1,
};
/** A dashboard over an engine that begins sessions and ends them; the bearers that it was asked with. */
const room = () => {
  const asked: string[] = [];
  const ask = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    asked.push(`${request.method} ${pathname} ${request.headers.get("authorization")}`);
    if (pathname === "/v1/sessions" && request.method === "POST") return Response.json({ session, secret: SECRET }, { status: 201 });
    if (pathname === "/v1/caller") return Response.json({ caller: { token: "local", scope: "all", actor: session.actor, session } });
    if (pathname.endsWith("/end")) return Response.json({ session });
    return Response.json({ events: [], next: positionAt(0) });
  };
  return { asked, dashboard: createDashboard({ ask, now: Date.now, key: () => "a-key" }) };
};
const signIn = (base: string, { dashboard } = room()) =>
  dashboard.request(`${base}/signin`, {
    method: "POST",
    headers: { origin: base, host: new URL(base).host, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams({ token: "secret", name: "ann" }),
  });

describe("the session's cookie", () => {
  it("is this very host's, and secure, off loopback", async () => {
    const [cookie] = (await signIn("https://shiplog.example.com")).headers.getSetCookie();
    expect(cookie).toBe(`__Host-shiplog_session=${SECRET}; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Strict`);
  });
  it("is its port's on this machine", async () => {
    const [cookie] = (await signIn("http://127.0.0.1:4321")).headers.getSetCookie();
    expect(cookie).toBe(`shiplog_session_4321=${SECRET}; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict`);
  });
  it("is read and forgotten under the name that it was set by, and its session ended", async () => {
    const here = room();
    const base = "https://shiplog.example.com";
    const headers = {
      cookie: `__Host-shiplog_session=${SECRET}`,
      origin: base,
      host: "shiplog.example.com",
      "sec-fetch-site": "same-origin",
    };
    const answer = await here.dashboard.request(`${base}/signout`, { method: "POST", headers });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, ["__Host-shiplog_session=; Max-Age=0; Path=/; Secure"]]);
    expect(here.asked).toContain(`POST /v1/sessions/${session.id}/end Bearer ${SECRET}`);
    const forged = await here.dashboard.request(base, { headers: { cookie: `shiplog_session=${SECRET}` } });
    expect(forged.status).toBe(302);
  });
});

describe("a build's log as text", () => {
  it("is whole where it fits into an answer", () => {
    expect(logText({ lines: ["one", "two"], cut: false, grows: false })).toBe("one\ntwo\n");
  });
  it("is cut, and says so, where it does not", () => {
    const text = logText({ lines: Array.from({ length: 100_000 }, () => "é".repeat(40)), cut: false, grows: false });
    expect(Buffer.byteLength(text)).toBeLessThan(4_100_000);
    expect(text.endsWith("é\n… and there is more: shiplog logs has it\n")).toBe(true);
  });
});
