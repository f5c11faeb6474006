import { describe, expect, it } from "vitest";
import { EngineConfig } from "../../blueprint/engine-config.ts";
import { GITHUB_ISSUER, githubTokens } from "../../blueprint/github.ts";
import { parseSites } from "../../blueprint/sites-file.ts";

const sitesOf = (rule: object, more: object = {}) =>
  parseSites(
    JSON.stringify({ sites: [{ name: "web", source: ".", environments: [{ name: "production", github: [rule] }] }], ...more }),
    "sites.json",
  );
const MAIN = { repository: "acme/web", ref: "refs/heads/main" };

describe("a rule for runs of GitHub Actions", () => {
  it("is of what nobody starts who may not write there, where it names no events", () => {
    expect(sitesOf(MAIN).sites[0]?.environments[0]?.github).toEqual([{ ...MAIN, events: ["push", "workflow_dispatch"] }]);
  });

  it.each([
    ["a ref as a pattern", { ...MAIN, ref: "refs/heads/*" }, "patterns are not taken"],
    ["a branch's name alone", { ...MAIN, ref: "main" }, "must be a whole ref"],
    ["a repository as a pattern", { ...MAIN, repository: "acme/*" }, "must be owner and name"],
    ["neither ref nor environment", { repository: "acme/web" }, "every branch of the repository could deploy"],
    ["a ref for pull requests", { ...MAIN, events: ["pull_request"] }, "refs/pull/<number>/merge"],
    ["no events", { ...MAIN, events: [] }, "Too small"],
    ["a repository's number as a number", { ...MAIN, repositoryId: 4711 }, "repositoryId"],
    ["a field that it has not", { ...MAIN, branch: "main" }, "branch"],
  ])("is refused with %s", (_, rule, why) => {
    expect(() => sitesOf(rule)).toThrow(why);
  });

  it("is refused with an issuer that is asked in the clear, but for one on this machine", () => {
    expect(() => sitesOf(MAIN, { github: { issuer: "http://issuer.example.com" } })).toThrow("https address");
    expect(sitesOf(MAIN, { github: { issuer: "http://127.0.0.1:8080/" } }).github?.issuer).toBe("http://127.0.0.1:8080");
  });

  it("has tokens taken for the engine's address, and none where there is no rule", () => {
    const url = "https://api.example.com";
    expect(githubTokens(sitesOf(MAIN), url)).toEqual({ issuer: GITHUB_ISSUER, audience: url });
    const own = { issuer: "https://issuer.example.com/acme", audience: "https://shiplog.example.com/" };
    expect(githubTokens(sitesOf(MAIN, { github: own }), url)).toEqual({ issuer: own.issuer, audience: "https://shiplog.example.com" });
    expect(githubTokens({ sites: [] }, url)).toBeUndefined();
  });

  it("is read by an engine that is older than a field of it", () => {
    const github = EngineConfig.shape.sites.element.shape.github.parse([{ ...MAIN, soon: true }]);
    expect(github).toEqual([{ ...MAIN, events: ["push", "workflow_dispatch"] }]);
  });
});
