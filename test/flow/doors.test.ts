import { ulid } from "ulid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/support/run-cli.ts";
import { apiClient } from "../support/api-client.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
});
afterAll(() => world.close());

const source = { key: "sources/web/none.zip", sha256: "0".repeat(64), bytes: 1 };
const unknown = `dep_${ulid()}`;
const shiplog = (words: string[], token = world.dev.token) =>
  runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: token } });

describe("over HTTP", () => {
  it.each([
    ["GET", "environments/shop/production", undefined, 404, "environment.unknown"],
    ["POST", "environments/web/nowhere/rollback", {}, 404, "environment.unknown"],
    ["POST", "deployments", { site: "web", environment: "nowhere", source }, 404, "environment.unknown"],
    ["POST", "sources", { site: "shop", sha256: source.sha256, bytes: 1 }, 404, "site.unknown"],
    ["GET", `deployments/${unknown}`, undefined, 404, "deployment.unknown"],
    ["POST", `deployments/${unknown}/cancel`, {}, 404, "deployment.unknown"],
    ["POST", `deployments/${unknown}/retry`, {}, 404, "deployment.unknown"],
    ["GET", "deployments/..%2f..%2fsecrets", undefined, 404, "deployment.unknown"],
    ["POST", "environments/web/production/rollback", { to: unknown }, 409, "release.never-live"],
    ["POST", "deployments", { site: "web", environment: "production", source }, 409, "source.missing"],
    ["POST", "deployments", "{half", 400, "body.invalid"],
    ["POST", "deployments", "[]", 400, "body.invalid"],
    ["POST", "deployments", { site: "web", environment: "production", source, force: true }, 400, "body.invalid"],
    ["GET", "events?limit=100000", undefined, 400, "query.invalid"],
    ["GET", "events?since=yesterday", undefined, 400, "query.invalid"],
    ["DELETE", "deployments", undefined, 404, "route.unknown"],
  ])("%s %s with %s answers %i", async (method, path, body, status, code) => {
    const answer = await world.api.send(method, path, body);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    expect(answer.body.error.message.length).toBeGreaterThan(20);
  });

  it("takes no body that is larger than any command, and goes on answering", async () => {
    const { status, body, headers } = await world.api.post("environments/web/production/pin", { reason: "x".repeat(1_100_000) });
    expect([status, body.error.code, headers.get("connection")]).toEqual([413, "body.large", "close"]);
    expect((await world.api.get("environments")).status).toBe(200);
    expect((await world.api.environment("web", "production")).pin).toBeNull();
  });

  it("names the field that is wrong", async () => {
    const { body } = await world.api.post("deployments", { site: "Web!", environment: "production", source: { ...source, sha256: "zz" } });
    expect(body.error.message).toMatch(/"site": must be.*"source\.sha256": /);
  });

  it("lets nobody in without the token, and tells nothing", async () => {
    for (const token of ["", "wrong", `${world.dev.token}x`, world.dev.token.slice(0, -1)]) {
      const { status, body } = await apiClient(world.dev.apiUrl, token).get("deployments");
      expect([status, body.error.code]).toEqual([401, "token.unknown"]);
    }
    expect((await fetch(`${world.dev.apiUrl}/v1/health`)).status).toBe(200);
  });
});

describe("on the command line", () => {
  it.each([
    ["an unknown site", ["status", "shop/production"], 2, /There is no site "shop"/],
    ["an unknown environment", ["rollback", "--env", "nowhere", "--yes"], 2, /no environment "nowhere"/],
    ["an unknown id", ["inspect", unknown], 2, /There is no deployment/],
    ["what is no id", ["cancel", "not-an-id", "--yes"], 2, /not the id of a deployment/],
  ])("%s is exit 2", async (_, words, exit, sentence) => {
    const { code, out, err } = await shiplog(words);
    expect([code, out, err]).toEqual([exit, "", expect.stringMatching(sentence)]);
  });

  it("a wrong token is exit 4", async () => {
    const { code, out, err } = await shiplog(["list"], "not-the-token");
    expect([code, out, err]).toEqual([4, "", expect.stringMatching(/SHIPLOG_TOKEN/)]);
    expect(err).not.toContain("not-the-token");
  });
});
