import { describe, expect, it } from "vitest";
import type { PublishedFunction, Release } from "../../domain/deployment/shapes.ts";
import { CannotRun, ProbeFailed, warm } from "../../services/flip-alias/warm.ts";
import { deploymentId, release } from "../support/samples.ts";
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
/** What each version answers, in turn, the last one for ever: a status, a crash, or that it does not exist. */
type Says = readonly (number | "crash" | "gone")[];

const look = async (says: Record<string, Says>, change: Partial<Parameters<typeof warm>[2]> = {}, at = site) => {
  const asked: string[] = [];
  const invoke = async (name: string, version: string) => {
    const which = `${name.replace("web-production-", "")} ${version}`;
    asked.push(which);
    const answers = says[which] ?? [200];
    const answer = answers[Math.min(asked.filter((one) => one === which).length, answers.length) - 1];
    if (answer === "gone") throw Object.assign(new Error("not found"), { name: "ResourceNotFoundException" });
    if (answer === "crash") return { version, failed: "Unhandled", payload: JSON.stringify({ errorMessage: "it broke" }) };
    return { version, failed: null, payload: at.streaming ? streamed(answer) : JSON.stringify({ statusCode: answer }) };
  };
  const flip = { ...named(1), live: named(2), reason: "rollback", forced: false, again: true, ...change };
  const outcome = await warm({ functions: { invoke }, clock }, at, flip).catch((error: Error) => error);
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
    const flip = { ...more, release: { ...release, basePath: "docs" }, live: undefined, reason: "deploy", forced: false, again: false };
    await warm({ functions: { invoke }, clock }, { ...site, checkPath: "/health" }, flip);
    await warm({ functions: { invoke }, clock }, { ...site, checkPath: "/" }, { ...flip, release });
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
        const flip = { ...named(1), live: named(2), reason: "rollback", forced, again: false };
        const outcome = await warm({ functions: { invoke }, clock }, { ...site, originKeys: ["new", "old"] }, flip).catch(
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
    const flip = { live: undefined, reason: "deploy", forced: false, again: false };
    for (const patterns of [["api/*"], ["a/b", "c"], ["*.json"]]) {
      const { release, ...more } = split(patterns);
      const at = { ...site, functions: { api: patterns } };
      await warm({ functions: { invoke }, clock }, at, { ...flip, ...more, release: { ...release, basePath: "docs" } });
    }
    expect(paths.filter((path) => path !== "none")).toEqual(["/docs", "/docs/api", "/docs", "/docs/a/b", "/docs", "/docs"]);
  });
});
