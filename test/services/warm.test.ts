import { describe, expect, it } from "vitest";
import { consumers } from "../../blueprint/topology.ts";
import type { PublishedFunction, Release } from "../../domain/deployment/shapes.ts";
import type { FunctionState } from "../../engine/aws/functions.ts";
import { VERIFY_MS } from "../../services/flip-alias/move-aliases.ts";
import { ASK_MS, CannotRun, ProbeFailed, ProbeThrottled, warm } from "../../services/flip-alias/warm.ts";
import { deploymentId, release, throttled, versionOf } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const site = siteConfigOf("web", "production");
const clock = { now: () => 0 };
const named = (n: number): { deploymentId: string; release: Release } => ({ deploymentId: deploymentId(n), release: release(n) });
/** The release, whose server streams. */
const streaming = (of: { deploymentId: string; release: Release }): typeof of => ({
  ...of,
  release: { ...of.release, functions: of.release.functions.map((one) => (one.role === "server" ? { ...one, streaming: true } : one)) },
});
/** What Invoke gives of a streaming handler: everything that it wrote. */
const streamed = (statusCode: number | undefined): string =>
  `${JSON.stringify({ statusCode, headers: {} })}${"\0".repeat(8)}<html>{"statusCode":500}`;
/** What each version answers, in turn, the last one for ever: a status, a crash, that it does not exist, or nothing. */
type Says = readonly (number | "crash" | "gone" | "no room" | "late")[];
/** What Lambda says of versions that are not asked; without it, all of them are there. */
type Known = Readonly<Record<string, Partial<FunctionState> | "gone">>;
const get = async (_: string, version = "") => versionOf(version);

const look = async (says: Record<string, Says>, change: Partial<Parameters<typeof warm>[2]> = {}, at = site, known: Known = {}) => {
  const asked: string[] = [];
  const whichOf = (name: string, version: string): string => `${name.replace("web-production-", "")} ${version}`;
  const invoke = async (name: string, version: string) => {
    const which = whichOf(name, version);
    asked.push(which);
    const answers = says[which] ?? [200];
    const answer = answers[Math.min(asked.filter((one) => one === which).length, answers.length) - 1];
    if (answer === "gone") throw Object.assign(new Error("not found"), { name: "ResourceNotFoundException" });
    if (answer === "no room") throw throttled();
    if (answer === "late") throw Object.assign(new Error("Request aborted"), { name: "AbortError" });
    if (answer === "crash") return { version, failed: "Unhandled", payload: JSON.stringify({ errorMessage: "it broke" }) };
    return { version, failed: null, payload: at.streaming ? streamed(answer) : JSON.stringify({ statusCode: answer }) };
  };
  const flip = { ...named(1), live: named(2), reason: "rollback", forced: false, again: true, throttledBefore: false, ...change };
  const functions = {
    invoke,
    get: async (name: string, version = "") => {
      const found = known[whichOf(name, version)];
      return found === "gone" ? undefined : versionOf(version, found);
    },
  };
  const outcome = await warm({ functions, clock }, at, flip).catch((error: Error) => error);
  return { asked, outcome };
};

describe("a release before it goes live", () => {
  it("is asked at each of its functions, once where it works", async () => {
    const { asked, outcome } = await look({});
    expect(outcome).toBeUndefined();
    expect(asked).toEqual(["revalidation 1", "server 1"]);
  });
  it("is asked below the basePath that it was built with", async () => {
    const paths: string[] = [];
    const invoke = async (_: string, version: string, event: unknown) => {
      paths.push((event as { rawPath?: string }).rawPath ?? "none");
      return { version, failed: null, payload: '{"statusCode":200}' };
    };
    const { release, ...more } = named(1);
    const flip = {
      ...more,
      release: { ...release, basePath: "docs" },
      live: undefined,
      reason: "deploy",
      forced: false,
      again: false,
      throttledBefore: false,
    };
    await warm({ functions: { invoke, get }, clock }, { ...site, checkPath: "/health" }, flip);
    await warm({ functions: { invoke, get }, clock }, { ...site, checkPath: "/" }, { ...flip, release });
    expect(paths.filter((path) => path !== "none")).toEqual(["/docs/health", "/"]);
  });
  it("that does not know its edge's key never goes live, forced or not, streamed or whole, and says why", async () => {
    const refused = { statusCode: 403, headers: { "x-shiplog-origin": "refused" } };
    for (const payload of [JSON.stringify({ ...refused, body: "" }), `${JSON.stringify(refused)}${"\0".repeat(8)}no`])
      for (const forced of [false, true]) {
        const asked: unknown[] = [];
        const invoke = async (_: string, version: string, event: unknown) => {
          asked.push((event as { headers?: Record<string, string> }).headers?.["x-shiplog-origin"]);
          return { version, failed: null, payload };
        };
        const flip = { ...named(1), live: named(2), reason: "rollback", forced, again: false, throttledBefore: false };
        const outcome = await warm({ functions: { invoke, get }, clock }, { ...site, originKeys: ["new", "old"] }, flip).catch(
          (error: Error) => error,
        );
        expect(outcome).toBeInstanceOf(CannotRun);
        expect(String(outcome)).toContain("does not know the key of its edge");
        // once each: the server with the keys, and the revalidation, which has no address
        expect(asked.sort()).toEqual(["new,old", undefined]);
      }
  });
  it("has as many tries as a check has", async () => {
    expect((await look({ "server 1": [500, 200] })).outcome).toBeUndefined();
    expect((await look({ "server 1": ["crash", 200] }, { again: false })).outcome).toBeUndefined();
    expect((await look({ "server 1": [500, 500, 200] }, { again: false })).outcome).toBeInstanceOf(ProbeFailed);
  });
  it("is tried by another delivery before it is given up", async () => {
    const { outcome } = await look({ "server 1": [500] }, { again: false });
    expect(outcome).toBeInstanceOf(ProbeFailed);
    expect((await look({ "server 1": [500] })).outcome).toBeInstanceOf(CannotRun);
  });
  it("is not fit where it fails and what is live works; only what failed is compared", async () => {
    const { asked, outcome } = await look({ "server 1": ["crash"], "revalidation 2": ["crash"] });
    expect(outcome).toMatchObject({ unfit: true, message: "web-production-server:1 does not work: it failed (Unhandled): it broke" });
    expect(asked.slice(-1)).toEqual(["server 2"]);
  });
  it("has proven nothing where what is live fails too, or is not there, or never was", async () => {
    const both = await look({ "server 1": [500], "server 2": [503] });
    expect(both.outcome).toMatchObject({
      unfit: false,
      message: `web-production-server:1 does not work: it answered 500; what is live (${deploymentId(2)}) fails too (web-production-server:2 does not work: it answered 503), so what both need may be down; to go there all the same: shiplog rollback ${deploymentId(1)} --force`,
    });
    const deploy = await look({ "server 1": [500], "server 2": ["gone"] }, { reason: "deploy" });
    expect(deploy.outcome).toMatchObject({ unfit: false, message: expect.not.stringContaining("--force") });
    expect((await look({ "server 1": [500] }, { live: undefined })).outcome).toMatchObject({ unfit: false });
  });
  it("is over at once where a version is gone, forced or not", async () => {
    for (const forced of [false, true])
      expect((await look({ "server 1": ["gone"] }, { forced, again: false })).outcome).toMatchObject({
        name: "CannotRun",
        unfit: true,
        message: "version 1 of web-production-server does not exist any more",
      });
  });
  it("that is forced goes on at once, with what was wrong", async () => {
    const { asked, outcome } = await look({ "server 1": [500] }, { forced: true, again: false });
    expect(outcome).toBe("web-production-server:1 does not work: it answered 500");
    expect(asked).not.toContain("server 2");
  });
});

describe("a release and the mode of its site's address", () => {
  it("is asked as any other where both stream, and its prelude says whether it works", async () => {
    const at = { ...site, streaming: true };
    const release = streaming(named(1));
    expect((await look({}, release, at)).outcome).toBeUndefined();
    expect((await look({ "server 1": [500] }, release, at)).outcome).toMatchObject({
      message: "web-production-server:1 does not work: it answered 500",
    });
  });
  it("does not go live at an address of the other mode, forced or not, and nothing of it is asked", async () => {
    const whole = await look({}, {}, { ...site, streaming: true });
    const flowing = await look({}, { ...streaming(named(1)), forced: true }, site);
    for (const { asked, outcome } of [whole, flowing]) {
      expect(asked).toEqual([]);
      expect(outcome).toMatchObject({ name: "CannotRun", unfit: false });
    }
    expect(String(whole.outcome)).toContain('set default.override.wrapper to "aws-lambda-streaming"');
    expect(String(whole.outcome)).toContain('declare "streaming": false for the site "web"');
    expect(String(flowing.outcome)).toContain("remove the wrapper from open-next.config.ts");
    expect(String(flowing.outcome)).toContain('declare "streaming": true for the site "web"');
  });
});

describe("a release with split functions", () => {
  const split = (patterns: string[], change: Partial<PublishedFunction> = {}) => {
    const { release, ...more } = named(1);
    const api = {
      role: "server-api",
      name: "web-production-api",
      version: "1",
      codeSha256: "api=",
      settings: "s1",
      patterns,
      ...change,
    } as const;
    return { ...more, release: { ...release, functions: [...release.functions, api] } };
  };
  const declared = { ...site, functions: { api: ["api/*", "hooks"] } };
  const misfit = async (flip: object, at: typeof site) => (await look({}, { ...flip, forced: true }, at)).outcome;

  it("fits where its functions and their paths are those that were declared, in any order", async () => {
    expect((await look({}, split(["hooks", "api/*"]), declared)).asked).toEqual(["revalidation 1", "server 1", "api 1"]);
  });

  it("is no target where they are others, forced or not, and is not called unfit for it", async () => {
    for (const [flip, at] of [
      [split(["api/*"]), declared],
      [split(["api/*", "hooks"]), site],
      [{}, declared],
    ] as const) {
      const outcome = await misfit(flip, at);
      expect(outcome).toBeInstanceOf(CannotRun);
      expect(outcome).toMatchObject({ unfit: false, message: expect.stringContaining("does not fit the site: it has the") });
    }
    expect(await misfit({}, declared)).toMatchObject({ message: expect.stringContaining("it has the server alone") });
  });

  it("is no target where one of them answers in the other mode", async () => {
    expect(await misfit(split(["api/*", "hooks"], { streaming: true }), declared)).toMatchObject({
      message: expect.stringContaining('its function "api" streams'),
    });
    const whole = await misfit(streaming(split(["api/*", "hooks"])), { ...declared, streaming: true });
    expect(whole).toMatchObject({ message: expect.stringContaining("set functions.api.override.wrapper to") });
  });

  it("works with any status of a split function, which may be asked for another's page, and not where that cannot start", async () => {
    const flip = split(["api/*", "hooks"]);
    expect((await look({ "api 1": [500] }, flip, declared)).outcome).toBeUndefined();
    expect((await look({ "api 1": ["crash"] }, flip, declared)).outcome).toMatchObject({
      message: "web-production-api:1 does not work: it failed (Unhandled): it broke",
    });
  });

  it("is put back after a flip that failed half-way, whatever is declared", async () => {
    expect((await look({}, { ...split(["api/*"]), reason: "restore" }, site)).outcome).toBeUndefined();
  });

  it("is asked at the literal part of the first path of each, below the basePath", async () => {
    const paths: string[] = [];
    const invoke = async (_: string, version: string, event: unknown) => {
      paths.push((event as { rawPath?: string }).rawPath ?? "none");
      return { version, failed: null, payload: '{"statusCode":404}' };
    };
    const flip = { live: undefined, reason: "deploy", forced: false, again: false, throttledBefore: false };
    for (const patterns of [["api/*"], ["a/b", "c"], ["*.json"]]) {
      const { release, ...more } = split(patterns);
      const at = { ...site, functions: { api: patterns } };
      await warm({ functions: { invoke, get }, clock }, at, { ...flip, ...more, release: { ...release, basePath: "docs" } });
    }
    expect(paths.filter((path) => path !== "none")).toEqual(["/docs", "/docs/api", "/docs", "/docs/a/b", "/docs", "/docs"]);
  });
});

describe("a release that Lambda has no room to run", () => {
  const full: Record<string, Says> = { "server 1": ["no room"], "revalidation 1": ["no room"] };
  const refused = (fn: string): string => `Lambda refused to run web-production-${fn}:1: the executions of the account are used up`;
  const every = `${refused("revalidation")}; ${refused("server")}`;
  const keyed = { ...site, originKeys: ["new", "old"] };
  const guardedBy = (keys: string): Partial<FunctionState> => ({
    handler: "shiplog-guard.handler",
    variables: { SHIPLOG_ORIGIN_KEYS: keys },
  });

  it("is asked by another delivery first, whatever it is for", async () => {
    for (const change of [{}, { forced: true }, { reason: "restore" }, { reason: "deploy" }]) {
      const { asked, outcome } = await look(full, { ...change, again: false });
      expect(outcome).toBeInstanceOf(ProbeThrottled);
      expect(outcome).toMatchObject({ message: every, cause: { name: "TooManyRequestsException" } });
      // one answer is enough: each of them costs seconds
      expect(asked).toEqual(["revalidation 1", "server 1"]);
    }
  });

  it("is gone back to the second time, forced or not, and what is not known is said", async () => {
    for (const change of [{}, { forced: true }, { reason: "restore" }])
      expect((await look(full, { ...change, again: false, throttledBefore: true })).outcome).toBe(every);
    const one = await look({ "server 1": ["no room"] }, { throttledBefore: true });
    expect(one.outcome).toBe(refused("server"));
  });

  it("never goes live for the first time", async () => {
    const { outcome } = await look(full, { reason: "deploy", throttledBefore: true });
    expect(outcome).toBeInstanceOf(ProbeThrottled);
  });

  it("is not gone back to where its version is gone, forced or not", async () => {
    for (const forced of [false, true])
      expect((await look(full, { forced, throttledBefore: true }, site, { "server 1": "gone" })).outcome).toMatchObject({
        name: "CannotRun",
        unfit: true,
        message: expect.stringContaining("version 1 of web-production-server does not exist any more"),
      });
  });

  it("is not gone back to where it knows another key than its edge sends, forced or not", async () => {
    for (const forced of [false, true])
      expect((await look(full, { forced, throttledBefore: true }, keyed, { "server 1": guardedBy("older,oldest") })).outcome).toMatchObject(
        {
          name: "CannotRun",
          message: expect.stringContaining("web-production-server:1 does not work: it does not know the key of its edge"),
        },
      );
  });

  it("is gone back to where it knows one of its edge's keys, or none is asked for", async () => {
    for (const server of [guardedBy("older,old"), { handler: "index.handler", variables: {} }])
      expect((await look(full, { throttledBefore: true }, keyed, { "server 1": server })).outcome).toBe(every);
  });

  it("is not gone back to where its version can run no more", async () => {
    const { outcome } = await look(full, { throttledBefore: true }, site, { "server 1": { state: "Failed", reason: "its image is gone" } });
    expect(outcome).toMatchObject({ name: "CannotRun", message: "web-production-server:1 does not work: its image is gone" });
  });

  it("fails where another of its functions is seen to fail: what is proven counts", async () => {
    const mixed: Record<string, Says> = { "server 1": [500], "revalidation 1": ["no room"] };
    const first = await look(mixed, { again: false, throttledBefore: true });
    expect(first.outcome).toMatchObject({ name: "ProbeFailed", message: "web-production-server:1 does not work: it answered 500" });
    const second = await look(mixed, { throttledBefore: true });
    expect(second.outcome).toMatchObject({ name: "CannotRun", unfit: true });
    expect(second.asked.slice(-1)).toEqual(["server 2"]);
    const forced = await look(mixed, { forced: true, again: false });
    expect(forced.outcome).toContain("it answered 500");
    expect(forced.outcome).toContain(refused("revalidation"));
  });

  it("is not called unfit where what is live cannot be asked either", async () => {
    const { outcome } = await look({ "server 1": [500], "server 2": ["no room"] }, { throttledBefore: true });
    expect(outcome).toMatchObject({ name: "CannotRun", unfit: false });
    expect(String(outcome)).toContain(`what is live (${deploymentId(2)}) is not known to do better`);
    expect(String(outcome)).toContain(`shiplog rollback ${deploymentId(1)} --force`);
  });
});

describe("a release that does not answer in time", () => {
  it("fails as one that answers 500 does", async () => {
    expect((await look({ "server 1": ["late"] }, { again: false })).outcome).toMatchObject({ name: "ProbeFailed" });
    expect((await look({ "server 1": ["late"] })).outcome).toMatchObject({
      name: "CannotRun",
      message: "web-production-server:1 does not work: it gave no answer in time",
    });
  });

  it.each([
    [10_000, ASK_MS - 10_000],
    [90_000, 1],
    // a clock that was set back gives no more time
    [-500_000, ASK_MS],
  ])("has for its second try what the first one left of the time: %i ms later %i", async (later, left) => {
    const given: (number | undefined)[] = [];
    let now = 0;
    const invoke = async (_: string, version: string, _payload: unknown, withinMs?: number) => {
      given.push(withinMs);
      now = later;
      return { version, failed: null, payload: '{"statusCode":500}' };
    };
    const { deploymentId, release } = named(1);
    const server = { ...release, functions: release.functions.filter(({ role }) => role === "server") };
    const flip = { deploymentId, release: server, live: undefined, reason: "deploy", forced: false, again: false, throttledBefore: false };
    await expect(warm({ functions: { invoke, get }, clock: { now: () => now } }, site, flip)).rejects.toThrow("it answered 500");
    expect(given).toEqual([ASK_MS, left]);
  });

  it("leaves a delivery the time for what else it does", () => {
    const flip = consumers.find(({ name }) => name === "flip-alias");
    expect(Math.max(2 * ASK_MS, ASK_MS + VERIFY_MS) + 10_000).toBeLessThanOrEqual((flip?.timeoutSeconds ?? 0) * 1_000);
  });
});
