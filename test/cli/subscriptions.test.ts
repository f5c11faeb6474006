import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { webhookId } from "../support/samples.ts";
import { runCli } from "./support/run-cli.ts";
import { at, type StubEngine, stubEngine } from "./support/stub-engine.ts";

const ID = webhookId(1);
const view = {
  id: ID,
  url: "https://example.com/…",
  filters: { site: null, environment: null, types: [] },
  actor: "alice (token default)",
  addedAt: at(0),
  rotatedAt: null,
  from: "000000000000000",
  place: { position: "001795435200000", at: at(0) },
  lag: { seconds: 0, events: 0, more: false },
  failing: null,
  paused: null,
};
const month = { seconds: 30 * 86_400, events: 1_000, more: true };
const failing = { since: at(0), attempts: 700, nextAt: at(60), reason: "it answered 500" };
let engine: StubEngine;
const cli = (...words: string[]) => runCli(["subscriptions", ...words], { env: engine.env });
const answers = (name: string, body: object, status = 200) =>
  engine.state.instead.set(name.replace("one", `/v1/subscriptions/${ID}`), { status, body, always: true });
const asked = () => engine.state.asked.map(({ method, path }) => `${method} ${path.replace(`/v1/subscriptions/${ID}`, "one")}`);
beforeEach(async () => {
  engine = await stubEngine();
  answers("GET one", { subscription: view });
});
afterEach(() => engine.close());

describe("shiplog subscriptions add", () => {
  const added = (...words: string[]) => {
    answers("POST /v1/subscriptions", { subscription: view, secret: "whsec_abc" }, 201);
    return cli("add", "https://example.com/hidden", ...words);
  };

  it("begins now where nothing else is said, and tells the secret once", async () => {
    const { code, out, err } = await added();
    expect([code, engine.state.asked.at(-1)?.body]).toEqual([0, { url: "https://example.com/hidden", from: "now", types: [] }]);
    expect(out).toContain("whsec_abc");
    expect(out).not.toContain("hidden");
    expect(err).toContain("it is not shown again");
  });

  it.each([
    ["beginning", "beginning"],
    ["001795435200000", "001795435200000"],
    ["2026-11-01", "2026-11-01T00:00:00.000Z"],
  ])("takes --from %s", async (given, sent) => {
    expect((await added("--from", given, "--site", "web", "--type", "EnvironmentPinned")).code).toBe(0);
    expect(engine.state.asked.at(-1)?.body).toMatchObject({ from: sent, site: "web", types: ["EnvironmentPinned"] });
  });

  it("counts --from 30d back from now", async () => {
    await added("--from", "30d");
    const { from } = { ...(engine.state.asked.at(-1)?.body as { from: string }) };
    expect(Math.abs(Date.now() - 30 * 86_400_000 - Date.parse(from))).toBeLessThan(60_000);
  });

  it("asks nothing where --from is no moment", async () => {
    expect(await added("--from", "yesterday")).toMatchObject({ code: 2, err: expect.stringContaining('"yesterday"') });
    expect(engine.state.asked).toEqual([]);
  });
});

describe("shiplog subscriptions ls and show", () => {
  it("say how far behind each is, and why", async () => {
    const paused = { ...view, id: webhookId(3), lag: month, paused: { at: at(0), reason: "paused by ada" } };
    answers("GET /v1/subscriptions", { subscriptions: [view, { ...view, id: webhookId(2), lag: month, failing }, paused] });
    const { code, out } = await cli("ls");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[1]).toMatch(/ all +up to date +following$/);
    expect(lines[2]).toMatch(/ 30d 0h behind, 1,000\+ events +failing, tried 700 times since .* ago: it answered 500; next \S+Z$/);
    expect(lines[3]).toMatch(/ behind, 1,000\+ events +paused: paused by ada$/);
    expect(JSON.parse((await cli("ls", "--json")).out).subscriptions).toHaveLength(3);
  });

  it("say how to add one where there is none", async () => {
    answers("GET /v1/subscriptions", { subscriptions: [] });
    expect(await cli("ls")).toMatchObject({ code: 0, out: "", err: expect.stringContaining("shiplog subscriptions add -") });
  });

  it("show the place, and what helps next", async () => {
    expect((await cli("show", ID)).out).toMatch(
      /^from +the beginning\nplace +001795435200000 \(\S+Z\)\nlag +up to date\nstatus +following$/m,
    );
    answers("GET one", { subscription: { ...view, place: null, failing } });
    expect(await cli("show", ID)).toMatchObject({
      code: 0,
      out: expect.stringContaining("nothing taken yet"),
      err: expect.stringContaining("subscriptions resume"),
    });
  });
});

describe("shiplog subscriptions pause, resume, reset, rm and rotate", () => {
  it("pause with a reason, and go on", async () => {
    answers("POST one/pause", { subscription: view });
    answers("POST one/resume", { subscription: { ...view, lag: month } });
    expect(await cli("pause", ID, "--reason", "its disk is full")).toMatchObject({ code: 0, out: `${ID} is paused.\n` });
    expect(engine.state.asked.at(-1)?.body).toEqual({ reason: "its disk is full" });
    expect(await cli("resume", ID)).toMatchObject({ code: 0, out: `${ID} goes on.\n`, err: expect.stringContaining("30d 0h behind") });
  });

  it("reset nothing that nobody said yes to", async () => {
    answers("POST one/reset", { subscription: view });
    expect(await cli("reset", ID, "--from", "beginning")).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
    expect(asked()).toEqual(["GET one"]);
    expect(await cli("reset", ID, "--from", "beginning", "-y")).toMatchObject({
      code: 0,
      out: `${ID} is told the log from its beginning on.\n`,
    });
    expect((await cli("reset", ID, "-y")).code).toBe(2);
  });

  it("remove one as an endpoint, also where its removal was cut off", async () => {
    const endpoint = { ...view, kind: "subscription", disabled: null, removedAt: at(1), version: 2 };
    engine.state.instead.set(`POST /v1/webhooks/${ID}/remove`, { status: 200, body: { webhook: endpoint }, always: true });
    expect(await cli("rm", ID)).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
    expect(await cli("rm", ID, "--yes")).toMatchObject({ code: 0, out: `${ID} is removed.\n` });
    answers("GET one", { error: { code: "webhook.unknown", message: "There is no webhook endpoint." } }, 404);
    expect(await cli("rm", ID)).toMatchObject({ code: 0, out: `${ID} is removed.\n` });
  });

  it("rotate a subscription alone", async () => {
    answers("GET one", { error: { code: "subscription.unknown", message: `${ID} is no subscription.` } }, 404);
    expect(await cli("rotate", ID)).toMatchObject({ code: 2, err: expect.stringContaining("is no subscription") });
    expect(asked()).toEqual(["GET one"]);
  });
});
