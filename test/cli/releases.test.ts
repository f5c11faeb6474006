import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { runCli } from "./support/run-cli.ts";
import {
  at,
  deploymentId,
  deploymentView,
  environmentView,
  liveView,
  routedView,
  type StubEngine,
  stubEngine,
} from "./support/stub-engine.ts";

let engine: StubEngine;
const cli = (...words: string[]) => runCli(words, { env: engine.env });
const cells = (line: string): string[] => line.trim().split(/ {2,}/);
/** So many hours from now. */
const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000 + 30_000).toISOString();
const host = (number: number): string => `abc${number}.lambda-url.eu-central-1.on.aws`;

beforeEach(async () => {
  engine = await stubEngine();
  for (const number of [1, 2, 3])
    engine.state.deployments.set(deploymentId(number), deploymentView(number, { status: "success", endedAt: at(90) }));
});
afterEach(() => engine.close());

describe("shiplog releases", () => {
  it("is a line for each release that has an address: at which, until when it is reached, and why it is kept", async () => {
    engine.state.environments = [
      environmentView({ routes: [routedView(3, null), routedView(2, inHours(22)), routedView(1, at(0))], live: liveView(3) }),
    ];
    const { code, out } = await cli("releases");
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n").map(cells)).toEqual([
      ["WHERE", "SEQ", "RELEASE", "KEPT", "UNTIL", "LIVE SINCE", "ADDRESS", "HOST", "COMMIT"],
      ["web/production", "#3", deploymentId(3), "live", "-", expect.stringMatching(/ago$/), "r-3", host(3), "1234567 Fix the header"],
      ["web/production", "#2", deploymentId(2), "window", "in 22h 00m", expect.any(String), "r-2", host(2), expect.any(String)],
      ["web/production", "#1", deploymentId(1), "ended", "reached no more", expect.any(String), "r-1", host(1), expect.any(String)],
    ]);
  });

  it("asks for the commits of those releases, a hundred at once, and for no other deployment", async () => {
    const many = Array.from({ length: 50 }, (_, n) => routedView(n + 1, inHours(1)));
    const more = Array.from({ length: 50 }, (_, n) => routedView(n + 51, inHours(1)));
    const last = [routedView(101, null)];
    engine.state.environments = [many, more, last].map((routes, n) => environmentView({ environment: `e${n}`, routes }));
    const { out } = await cli("releases", "--json");
    const { releases } = JSON.parse(out);
    expect(releases).toHaveLength(101);
    expect(engine.state.asked.filter(({ path }) => path === "/v1/deployments")).toHaveLength(2);
    expect(releases[0]).toMatchObject({ environment: "e0", address: 1, host: host(1), kept: "window", commit: { sha: "1234567890" } });
    expect(releases[100]).toMatchObject({ environment: "e2", kept: "live", until: null, commit: null });
  });

  it("is of one site or one environment where that is named, and lists the choices where there is none of that name", async () => {
    engine.state.environments = [
      environmentView({ routes: [routedView(1, null)] }),
      environmentView({ environment: "staging", routes: [routedView(2, null)] }),
      environmentView({ site: "shop", routes: [routedView(3, null)] }),
    ];
    const places = async (...words: string[]) =>
      JSON.parse((await cli("releases", "--json", ...words)).out).releases.map(
        ({ site, environment }: { site: string; environment: string }) => `${site}/${environment}`,
      );
    expect(await places("web")).toEqual(["web/production", "web/staging"]);
    expect(await places("web/staging")).toEqual(["web/staging"]);
    expect(await places("--env", "production")).toEqual(["web/production", "shop/production"]);
    expect(await cli("releases", "blog")).toMatchObject({ code: 2, out: "", err: expect.stringContaining('There is no site "blog"') });
  });

  it("says so where none has an address", async () => {
    expect(await cli("releases")).toMatchObject({ code: 0, out: "", err: expect.stringContaining("No release has an address yet") });
  });
});

describe("shiplog skew cut", () => {
  const cut = (number: number) => `/v1/environments/web/production/releases/${deploymentId(number)}/cut`;
  const posted = (number: number) => engine.state.asked.find(({ method, path }) => method === "POST" && path === cut(number))?.body;
  beforeEach(() => {
    const routes = [routedView(3, null), routedView(2, inHours(5)), routedView(1, inHours(1), { ended: "cut" })];
    engine.state.environments = [environmentView({ live: liveView(3), routes })];
  });

  it("asks before it, since open pages of visitors notice it", async () => {
    const { code, out, err } = await cli("skew", "cut", deploymentId(2));
    expect([code, out, posted(2)]).toEqual([2, "", undefined]);
    expect(err).toContain(`Cut ${deploymentId(2)} (r-2) of web/production off? Its open pages reach what is live from then on.`);
    expect(err).toContain("Say it with --yes.");
  });

  it("says what is so from then on, and takes a reason along", async () => {
    const { code, out, err } = await cli("skew", "cut", deploymentId(2), "--yes", "--reason", "it charges twice");
    expect([code, posted(2)]).toEqual([0, { reason: "it charges twice" }]);
    expect(out).toBe(`${deploymentId(2)} of web/production is cut off: its open pages reach what is live.\n`);
    expect(err).toContain("shiplog releases web/production");
  });

  it.each([
    ["was cut off already", [routedView(2, null), routedView(1, inHours(1), { ended: "cut" })]],
    ["was reached so long ago that its address is gone", [routedView(2, null)]],
  ])("changes nothing of one that %s, and asks nothing", async (_, routes) => {
    engine.state.environments = [environmentView({ routes })];
    const { code, out, err } = await cli("skew", "cut", deploymentId(1));
    expect([code, out, err]).toEqual([0, `Nobody was sent to ${deploymentId(1)} any more: nothing was changed.\n`, ""]);
  });

  it("asks also where another deployment of the same release was the one that brought it live", async () => {
    engine.state.deployments.set(deploymentId(4), deploymentView(4, { releaseId: deploymentId(2) }));
    expect((await cli("skew", "cut", deploymentId(4))).err).toContain(`Cut ${deploymentId(4)} (r-2) of web/production off?`);
    expect((await cli("skew", "cut", deploymentId(4), "--yes")).out).toContain("is cut off");
  });

  it("ends with 6 where the rules refuse it: what is live is never cut off", async () => {
    const message = `web/production cannot cut ${deploymentId(3)} off: ${deploymentId(3)} is what is live.`;
    engine.state.instead.set(`POST ${cut(3)}`, { status: 409, body: { error: { code: "release.live", message } } });
    expect(await cli("skew", "cut", deploymentId(3))).toMatchObject({ code: 6, err: expect.stringContaining(message) });
  });
});

describe("shiplog status", () => {
  it("names the address of what is live, and of what was live before not", async () => {
    engine.state.environments = [environmentView({ routes: [routedView(2, null), routedView(1, inHours(3))] })];
    const { out } = await cli("status");
    expect(out).toMatch(new RegExp(`^ {2}address +r-2 · ${host(2)}$`, "m"));
    expect(out).not.toContain("r-1 ");
  });
});

describe("shiplog rollback", () => {
  it("says until when open pages reach what it left, and how one ends that", async () => {
    const until = inHours(24);
    engine.state.environments = [environmentView({ routes: [routedView(1, null), routedView(2, until)] })];
    engine.state.rollbackScript.push(["ReleaseWentLive", { sequence: 3, deploymentId: deploymentId(1), reason: "rollback" }]);
    const { code, err } = await cli("rollback", "--yes");
    expect(code).toBe(0);
    expect(err).toContain(`Pages that are open reach ${deploymentId(2)} until ${until}. To end that:  shiplog skew cut ${deploymentId(2)}`);
  });

  it("says nothing of it where that is reached no more", async () => {
    for (const left of [[], [routedView(2, inHours(-1))]]) {
      engine.state.environments = [environmentView({ routes: [routedView(1, null), ...left] })];
      engine.state.rollbackScript.push(["ReleaseWentLive", { sequence: 3, deploymentId: deploymentId(1), reason: "rollback" }]);
      const { code, err } = await cli("rollback", "--yes");
      expect([code, err.includes("Pages that are open")]).toEqual([0, false]);
    }
  });
});

describe("shiplog open", () => {
  it("of a place is its site, as visitors have it", async () => {
    expect(await cli("open", "web/production", "--print")).toMatchObject({ code: 0, out: "https://web.example.com\n", err: "" });
    expect(JSON.parse((await cli("open", "web", "--json")).out)).toEqual({ link: "https://web.example.com", live: deploymentId(2) });
    expect(engine.state.asked.map(({ path }) => path)).not.toContain("/v1/sessions");
    engine.state.environments = [environmentView({ live: null })];
    expect((await cli("open", "web", "--print")).err).toContain("Nothing is live there yet");
  });

  it("starts the browser with the site, where there is one to start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shiplog-open-"));
    const browser = join(folder, "browser");
    await writeFile(browser, `#!/bin/sh\necho "$1" > ${folder}/opened\n`, { mode: 0o755 });
    const { out } = await runCli(["open", "web/production"], { env: { ...engine.env, BROWSER: browser } });
    expect(out).toBe("Opened https://web.example.com in the browser.\n");
    const opened = await until("the browser was started", () => readFile(join(folder, "opened"), "utf8").catch(() => undefined));
    expect(opened).toBe("https://web.example.com\n");
    await rm(folder, { recursive: true });
  });

  it("of a deployment is its page, signed in, and says how its release is reached while it is", async () => {
    const link = (number: number): string =>
      `${engine.url}/signin?to=${encodeURIComponent(`/deployments/${deploymentId(number)}`)}#shs_secret`;
    engine.state.environments = [environmentView({ routes: [routedView(2, null), routedView(1, inHours(5))] })];
    const reached = await cli("open", deploymentId(1), "--print");
    expect(reached.out).toBe(`${link(1)}\n`);
    expect(reached.err).toContain("A browser is shown what is live. This release, for 5h 00m more");
    expect(reached.err).toContain(`curl -H 'x-deployment-id: ${deploymentId(1)}' https://web.example.com`);

    expect((await cli("open", deploymentId(2), "--print")).err).toContain("It is live. Its site:  shiplog open web/production");
    const lost = await cli("open", deploymentId(3), "--print");
    expect(lost.out).toBe(`${link(3)}\n`);
    expect(lost.err).toContain(
      `Nobody is sent to it. To bring it live again, where it was live before:  shiplog rollback ${deploymentId(3)}`,
    );
    expect(JSON.parse((await cli("open", deploymentId(3), "--json")).out)).toMatchObject({ link: link(3), kept: null, reach: null });
  });
});
