import { describe, expect, it } from "vitest";
import { createDashboard } from "../../dashboard/app.ts";
import { positionAt } from "../../domain/kernel/position.ts";

/** Somebody is signed in, and the log is empty; else as it says. */
const signedIn =
  (ask: (request: Request) => Response) =>
  (request: Request): Response => {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/caller")
      return Response.json({ caller: { token: "local", scope: "all", actor: "ann (token local)", session: null } });
    return pathname === "/v1/events" ? Response.json({ events: [], next: positionAt(0) }) : ask(request);
  };

/** An engine whose trail has so many rows, a thousand a page; what it was asked for. */
const trailOf = (all: number, why = "short") => {
  const asked: URL[] = [];
  const row = (n: number) => ({
    id: `${String(n).padStart(22, "a")}.0`,
    position: positionAt(n),
    at: "2026-11-27T08:00:00.000Z",
    type: "EnvironmentPinned",
    stream: "environment/web/production",
    version: n,
    site: "web",
    environment: "production",
    deployment: null,
    actor: "ann",
    credential: null,
    address: null,
    why,
    trigger: null,
    change: null,
    cause: "api/1",
    correlation: "api/1",
  });
  const ask = (request: Request): Response => {
    const url = new URL(request.url);
    asked.push(url);
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const to = Math.min(all, from + 1_000);
    return Response.json({ rows: Array.from({ length: to - from }, (_, n) => row(from + n + 1)), next: to < all ? String(to) : null });
  };
  const dashboard = createDashboard({ ask: signedIn(ask), now: () => Date.parse("2026-11-27T09:00:00Z"), key: () => "a key" });
  const get = (path: string) => dashboard.request(`http://localhost${path}`, { headers: { cookie: "shiplog_session=shs_secret" } });
  return { get, asked };
};

describe("a file of the trail", () => {
  it("has every row of every page", async () => {
    const { get } = trailOf(2_500);
    const lines = (await (await get("/audit/export.jsonl?since=2026-11-01")).text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).version)).toEqual(Array.from({ length: 2_500 }, (_, n) => n + 1));
  });

  it.each([
    ["more rows than it may have", 10_001, "short"],
    ["more bytes than an answer may have", 3_000, "x".repeat(2_000)],
  ])("of %s is refused whole, and the command that has no such limit is named", async (_, rows, why) => {
    const { get, asked } = trailOf(rows, why);
    const answer = await get(`/audit/export.csv?since=2026-11-01&actor=${encodeURIComponent("o'hara; rm -rf /")}`);
    const text = await answer.text();
    expect([answer.status, answer.headers.get("content-disposition")]).toEqual([413, null]);
    expect(text).toContain("Too much for one file");
    expect(text).toContain("shiplog audit --since 2026-11-01 --actor &#39;o&#39;\\&#39;&#39;hara; rm -rf /&#39; --csv");
    expect(asked.length).toBeLessThan(12);
  });

  it("of a trail of which a filter lets nothing through ends, and is not looked for on and on", async () => {
    const asked: string[] = [];
    const ask = (request: Request): Response => {
      asked.push(request.url);
      return Response.json({ rows: [], next: String(asked.length) });
    };
    const dashboard = createDashboard({ ask: signedIn(ask), now: Date.now, key: () => "a key" });
    const headers = { cookie: "shiplog_session=shs_secret" };
    expect((await dashboard.request("http://localhost/audit/export.csv", { headers })).status).toBe(413);
    expect(asked.length).toBeLessThanOrEqual(100);
    const page = await (await dashboard.request("http://localhost/audit", { headers })).text();
    expect(page).toContain("Nothing fits in what was looked through so far");
    expect(page).toContain("Go on from there");
  });
});

describe("what is sealed", () => {
  const pageWith = async (seals: () => Response): Promise<string> => {
    const ask = ({ url }: Request): Response => (url.includes("/seals/") ? seals() : Response.json({ rows: [], next: null }));
    const dashboard = createDashboard({ ask: signedIn(ask), now: () => Date.parse("2026-11-27T09:00:00Z"), key: () => "a key" });
    const headers = { cookie: "shiplog_session=shs_secret" };
    return (await dashboard.request("http://localhost/audit", { headers })).text();
  };

  it("is said of a log that was never sealed, with the command that seals it", async () => {
    const text = await pageWith(() => Response.json({ newest: null, unsealed: null }));
    expect(text).toContain("Nothing is sealed yet. Seal it: <code>shiplog audit seal</code>");
  });

  it("is not said where the engine finds a seal broken: its own sentence is there, and the trail is", async () => {
    const text = await pageWith(() => Response.json({ error: { code: "seal.broken", message: "Seal 3 was changed." } }, { status: 409 }));
    expect(text).toContain('<p role="alert" class="reason">Seal 3 was changed.</p>');
    expect(text).toContain("Nothing fits");
  });
});
