import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "./support/run-cli.ts";
import { at, deploymentId, deploymentView, environmentView, type StubEngine, stubEngine } from "./support/stub-engine.ts";

let engine: StubEngine;
const cli = (...words: string[]) => runCli(words, { env: engine.env });
const cells = (line: string): string[] => line.trim().split(/ {2,}/);
const SWEEP = "/v1/environments/web/production/sweep";
const asked = (method: string, path = SWEEP) => engine.state.asked.filter((one) => one.method === method && one.path === path);
const FUTURE = "2126-11-23T14:00:00.000Z";
const marked = { mark: 1, releases: 12, others: 0, at: at(0), after: FUTURE, since: null };

const release = (number: number, stays: string | null, because: string) => ({
  deploymentId: deploymentId(number),
  release: deploymentId(number),
  sequence: number,
  madeAt: at(number),
  stays,
  goes: stays === null ? "was-live" : null,
  because,
  bytes: number * 1_000_000,
});
const sweep = {
  keep: { releases: 10, days: 14, window: 168, wait: 24 },
  marked: null as object | null,
  swept: null as object | null,
  releases: [
    release(1, null, "it was not among the last 10"),
    release(2, "kept", "somebody keeps it by name"),
    release(3, "live", "it is live"),
  ],
  others: [] as string[],
  strangers: [] as string[],
  lost: [] as string[],
  bytes: { stay: 5_000_000, go: 1_000_000 },
};
const planned = (change: Partial<typeof sweep> = {}, explained: object | null = null) =>
  engine.state.instead.set(`GET ${SWEEP}`, { status: 200, body: { sweep: { ...sweep, ...change }, explained } });

beforeEach(async () => {
  engine = await stubEngine();
  for (const number of [1, 2]) engine.state.deployments.set(deploymentId(number), deploymentView(number, { status: "success" }));
});
afterEach(() => engine.close());

describe("shiplog gc --dry-run", () => {
  it("is a line for each release, the newest first: whether it stays, its size and why; then how much, and changes nothing", async () => {
    planned();
    const { code, out } = await cli("gc", "web/production", "--dry-run");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines.slice(0, 4).map(cells)).toEqual([
      ["SEQ", "RELEASE", "VERDICT", "CODE", "BECAUSE"],
      ["#3", deploymentId(3), "stays", "3.0 MB", "it is live"],
      ["#2", deploymentId(2), "stays", "2.0 MB", "somebody keeps it by name"],
      ["#1", deploymentId(1), "goes", "1.0 MB", "it was not among the last 10"],
    ]);
    expect(lines[4]).toBe("2 releases of web/production stay (5.0 MB of code and files), 1 goes (1.0 MB).");
    expect(lines[5]).toBe("What goes is not marked yet. Once it is, it waits 24 hours. To have it marked now:  shiplog gc web/production");
    expect(engine.state.asked.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("says what is marked and from when on it goes", async () => {
    planned({ marked });
    const { out } = await cli("gc", "--dry-run");
    expect(out).toContain(`12 releases are marked and go from ${FUTURE} on.`);
    expect(out).not.toContain("not marked yet");
  });

  it("names what no release has, ten of them at most, and what was swept last", async () => {
    const others = Array.from({ length: 12 }, (_, n) => `version web:${n}`);
    planned({ others, swept: { at: at(0), mark: 1, releases: 3, bytes: 2_500_000, left: "version web:1: an alias is at it" } });
    const { out } = await cli("gc", "--dry-run");
    expect(out).toContain("No release has these, and they go too: version web:0, ");
    expect(out).toContain("version web:9, and 2 more.");
    expect(out).toMatch(/Swept last \d+\w ago: 3 releases, 2\.5 MB; left: version web:1: an alias is at it\./);
  });

  it("says that nothing goes where there are releases that the log does not know", async () => {
    planned({ strangers: [deploymentId(9)] });
    const { out } = await cli("gc", "--dry-run");
    expect(out).toContain(`Nothing is swept here while there are releases that no deployment in the log has: ${deploymentId(9)}.`);
    expect(out).not.toContain("not marked yet");
  });

  it("says that nothing goes where the manifest of what stays is gone, and what to do", async () => {
    planned({ lost: [deploymentId(9)] });
    const { out } = await cli("gc", "--dry-run");
    expect(out).toContain(
      `Nothing is swept here while the manifests of releases that stay are gone: ${deploymentId(9)}. Restore them, or nothing goes until newer releases have taken their places.`,
    );
    expect(out).not.toContain("not marked yet");
  });

  it("says so where nothing was ever published", async () => {
    planned({ releases: [] });
    expect((await cli("gc", "--dry-run")).out).toBe("Nothing of a release lies in web/production.\n");
  });

  it("is one document with --json", async () => {
    planned();
    expect(JSON.parse((await cli("gc", "--dry-run", "--json")).out)).toEqual({ sweep });
  });
});

describe("shiplog gc --explain", () => {
  it.each([
    ["stays", { stays: true, because: "it is live", of: [deploymentId(3)] }, `/a.js stays: it is live\nneeded by  ${deploymentId(3)}\n`],
    ["goes", { stays: false, because: "it is marked", of: [deploymentId(1)] }, `/a.js goes: it is marked\nof  ${deploymentId(1)}\n`],
    ["is of no release", { stays: false, because: "no release has it", of: [] }, "/a.js is kept by nothing: no release has it\n"],
    ["is gone", { stays: false, is: "gone", because: "it was swept", of: ["dep_1"] }, "/a.js is not there: it was swept\nof  dep_1\n"],
  ])("says of one thing that it %s, and why", async (_, said, printed) => {
    planned({}, { thing: "/a.js", ...said });
    expect(await cli("gc", "--explain", "/a.js")).toMatchObject({ code: 0, out: printed });
    expect(asked("POST")).toEqual([]);
  });

  it("ends with 2 where nothing has that name", async () => {
    const unknown = { thing: "/a.jss", stays: false, is: "unknown", because: "nothing of that name is known in web/production", of: [] };
    for (const more of [[], ["--json"]]) {
      planned({}, unknown);
      const { code, out, err } = await cli("gc", "--explain", "/a.jss", ...more);
      // one document, or none
      if (out !== "") expect(JSON.parse(out)).not.toHaveProperty("explained");
      expect([code, err]).toEqual([2, expect.stringContaining("/a.jss: nothing of that name is known in web/production.")]);
    }
  });

  it("is one document with --json, and refuses to explain nothing", async () => {
    const explained = { thing: "r-3", stays: true, is: "there", because: "it is live", of: [deploymentId(3)] };
    planned({}, explained);
    expect(JSON.parse((await cli("gc", "--explain", "r-3", "--json")).out)).toEqual({ explained });
    expect(await cli("gc", "--explain", "")).toMatchObject({ code: 2, err: expect.stringContaining("--explain names nothing.") });
  });
});

describe("shiplog gc", () => {
  const began = { status: 202, body: { asked: true } };
  const environments = (change: object | null) => {
    engine.state.environments = [environmentView({ marked: change as typeof marked | null })];
    engine.state.instead.set(`POST ${SWEEP}`, began);
    planned({ marked: change });
  };

  it.each([
    ["what goes, and when", {}, "1 release goes: marked now, it waits 24 hours, and is swept if nothing keeps it then."],
    ["of what no release has, too", { others: ["version web:9"] }, "1 release and what no release has go: marked now"],
    ["that nothing goes", { releases: [release(3, "live", "it is live")] }, "nothing goes. 1 release stays."],
    ["of manifests that are gone", { lost: ["dep_9"] }, "nothing is swept here while the manifests of releases that stay"],
    ["of releases that nobody knows", { strangers: ["dep_9"] }, "nothing is swept here while there are releases that no deployment"],
  ])("says %s", async (_, change, said) => {
    environments(null);
    planned(change);
    expect((await cli("gc", "web/production")).out).toContain(`web/production: ${said}`);
  });

  it("asks for the next step, and says how one sees what stays", async () => {
    environments(null);
    const { code, out, err } = await cli("gc", "web/production");
    expect(code).toBe(0);
    expect(out).toMatch(/^web\/production: 1 release goes/);
    expect(err).toContain("What stays and what goes:  shiplog gc web/production --dry-run");
    expect(asked("POST")).toMatchObject([{ body: {}, key: expect.any(String) }]);
  });

  it.each([
    ["waits", marked, `12 releases are marked and go from ${FUTURE} on. Until then nothing is swept.`],
    ["has waited long enough", { ...marked, after: at(0) }, "12 releases are being swept, but for what something keeps by now."],
    ["is being swept", { ...marked, releases: 1, since: at(0) }, "1 release is being swept, but for"],
  ])("says of what is marked and %s what becomes of it", async (_, change, said) => {
    environments(change);
    expect((await cli("gc")).out).toContain(`web/production: ${said}`);
  });

  it("is one document with --json", async () => {
    environments(marked);
    expect(JSON.parse((await cli("gc", "--json")).out)).toEqual({ asked: true, site: "web", environment: "production", marked });
  });

  it("lists the choices where there is no such environment, and asks for nothing", async () => {
    expect(await cli("gc", "web/nope")).toMatchObject({ code: 2, err: expect.stringContaining("Known: web/production") });
    expect(asked("POST")).toEqual([]);
  });
});

describe("shiplog keep and unkeep", () => {
  const kept = [{ deploymentId: deploymentId(1), reason: "an audit", actor: "bob", at: at(0) }];
  const change = (verb: string, after: typeof kept) =>
    engine.state.instead.set(`POST ${path(verb)}`, { status: 200, body: { environment: environmentView({ kept: after }) } });
  const path = (verb: string) => `/v1/environments/web/production/releases/${deploymentId(1)}/${verb}`;

  it("keeps a release by the beginning of its id, and says how to let it go", async () => {
    change("keep", kept);
    const { code, out, err } = await cli("keep", deploymentId(1).slice(4), "--reason", "an audit");
    expect([code, out]).toEqual([0, `${deploymentId(1)} of web/production is kept: no sweep takes it.\n`]);
    expect(err).toContain(`shiplog unkeep ${deploymentId(1)}`);
    expect(asked("POST", path("keep"))).toMatchObject([{ body: { reason: "an audit" } }]);
  });

  it("says who kept it where it was kept already", async () => {
    engine.state.environments = [environmentView({ kept })];
    change("keep", kept);
    expect((await cli("keep", deploymentId(1), "--reason", "again")).out).toMatch(
      /was kept already, by bob \d+\w ago: an audit; nothing was changed\./,
    );
  });

  it("needs a reason", async () => {
    expect(await cli("keep", deploymentId(1))).toMatchObject({ code: 2, err: expect.stringContaining("--reason <text>") });
  });

  it("ends with 6 where it was swept, and says when and by which rule", async () => {
    const message = `web/production cannot keep ${deploymentId(1)}: ${deploymentId(1)} was swept on ${at(0)}: it never went live.`;
    engine.state.instead.set(`POST ${path("keep")}`, { status: 409, body: { error: { code: "release.swept", message } } });
    expect(await cli("keep", deploymentId(1), "--reason", "x")).toMatchObject({ code: 6, err: expect.stringContaining(message) });
  });

  it("leaves it to the rules again, and says whose reason is gone", async () => {
    engine.state.environments = [environmentView({ kept })];
    change("unkeep", []);
    const { out, err } = await cli("unkeep", deploymentId(1), "--reason", "it is over");
    expect(out).toMatch(/is no longer kept by name; bob had kept it \d+\w ago: an audit\n$/);
    expect(err).toContain(`shiplog gc web/production --explain ${deploymentId(1)}`);
    expect(asked("POST", path("unkeep"))).toMatchObject([{ body: { reason: "it is over" } }]);
  });

  it("changes nothing where nobody kept it", async () => {
    change("unkeep", []);
    expect((await cli("unkeep", deploymentId(1))).out).toBe(
      `Nobody kept ${deploymentId(1)} of web/production by name: nothing was changed.\n`,
    );
  });
});

describe("shiplog status", () => {
  it.each([
    [marked, `12 releases are marked and go from ${FUTURE} on:  shiplog gc web/production --dry-run`],
    [{ ...marked, releases: 1 }, `1 release is marked and goes from ${FUTURE} on`],
    [{ ...marked, releases: 0, others: 2 }, `2 other things are marked and go from ${FUTURE} on`],
    [{ ...marked, releases: 1, others: 1 }, `1 release and 1 other thing are marked and go from ${FUTURE} on`],
    [{ ...marked, since: at(0) }, "12 releases are being swept"],
  ])("says of one environment what is marked, and from when on it goes", async (change, said) => {
    engine.state.environments = [environmentView({ marked: change })];
    expect((await cli("status", "web/production")).out).toMatch(new RegExp(`marked +${said}`));
  });

  it("has no such line where nothing is", async () => {
    expect((await cli("status", "web/production")).out).not.toContain("marked");
  });

  it("says beneath when the code storage will be full, where that is soon, and nothing where it cannot be asked", async () => {
    const finding = (state: string) => ({
      at: at(0),
      state,
      findings: [
        { part: "code-storage", state, says: "68.0 of 75.0 GB are used: full in 6 days.", next: "shiplog gc --dry-run", about: null },
      ],
    });
    const answer = (status: number, body: object) => engine.state.instead.set("GET /v1/health/engine", { status, body });
    answer(200, finding("wrong"));
    const { err, code } = await cli("status", "web/production");
    expect([code, err]).toEqual([0, expect.stringContaining("full in 6 days.  See what goes:  shiplog gc --dry-run")]);
    answer(200, finding("ok"));
    expect((await cli("status", "web/production")).err).not.toContain("full in");
    answer(403, { error: { code: "github.rule", message: "no" } });
    expect(await cli("status", "web/production")).toMatchObject({ code: 0, err: expect.not.stringContaining("full in") });
  });
});
