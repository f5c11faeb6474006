import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { githubTokenSource } from "../../cli/github-token.ts";
import { type GithubIssuer, startGithubIssuer } from "../support/github-issuer.ts";
import { runCli } from "./support/run-cli.ts";
import { type StubEngine, stubEngine, TOKEN } from "./support/stub-engine.ts";

let issuer: GithubIssuer;
let engine: StubEngine;
const { signal } = new AbortController();
const audienceOf = (token: string): unknown => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).aud;

beforeEach(async () => {
  [issuer, engine] = await Promise.all([startGithubIssuer(), stubEngine()]);
});
afterEach(() => Promise.all([issuer.close(), engine.close()]));

describe("the token of a job", () => {
  it("is asked for the engine's address, and kept", async () => {
    const source = githubTokenSource("https://Shiplog.example.com/", issuer.jobEnv);
    const tokens = await Promise.all([source?.(signal), source?.(signal)]);
    expect(new Set([...tokens, await source?.(signal)]).size).toBe(1);
    expect(tokens.map((token) => audienceOf(token ?? ""))).toEqual(["https://shiplog.example.com", "https://shiplog.example.com"]);
  });

  it("is asked for again a minute before its end", async () => {
    issuer.state.lifeSeconds = 60;
    const source = githubTokenSource("https://shiplog.example.com", issuer.jobEnv);
    expect(await source?.(signal)).not.toBe(await source?.(signal));
    issuer.state.lifeSeconds = 300;
    expect(await source?.(signal)).toBe(await source?.(signal));
  });

  it("is not asked for where there is nobody to ask, or over a network in the clear", async () => {
    expect(githubTokenSource("https://shiplog.example.com", {})).toBeUndefined();
    const source = githubTokenSource("https://shiplog.example.com", {
      ACTIONS_ID_TOKEN_REQUEST_URL: "http://example.com/token",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "secret",
    });
    await expect(source?.(signal)).rejects.toThrow("ACTIONS_ID_TOKEN_REQUEST_URL is no https address");
  });
});

describe("the command in a job", () => {
  const list = (env: Record<string, string>) => runCli(["list"], { env: { SHIPLOG_URL: engine.url, GITHUB_ACTIONS: "true", ...env } });

  it("says what the job lacks", async () => {
    const { code, err } = await list({});
    expect([code, err]).toEqual([2, expect.stringContaining("`permissions: id-token: write`")]);
  });

  it("takes SHIPLOG_TOKEN where it is set", async () => {
    expect((await list({ ...issuer.jobEnv, SHIPLOG_TOKEN: TOKEN })).code).toBe(0);
    expect(issuer.state.given).toEqual([]);
  });

  it("shows the engine's sentence alone where its token is refused", async () => {
    const { code, err } = await list(issuer.jobEnv);
    expect([code, err]).toEqual([4, "error: The token is not known.\n"]);
    expect(issuer.state.given).toHaveLength(1);
    expect(err).not.toContain(issuer.state.given[0]);
  });

  it("ends with 4 where GitHub refuses, and with 1 where it does not answer", async () => {
    const refused = await list({ ...issuer.jobEnv, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "wrong" });
    expect([refused.code, refused.err]).toEqual([4, expect.stringContaining(`GitHub gives this job no token for ${engine.url}`)]);
    expect(refused.err).not.toContain("wrong");
    issuer.state.down = true;
    expect(await list(issuer.jobEnv)).toMatchObject({ code: 1, err: expect.stringContaining("answered 500") });
    expect(issuer.state.asked).toHaveLength(4);
  });
});
