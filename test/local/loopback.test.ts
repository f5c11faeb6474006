import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveApi } from "../../local/api-server.ts";
import { type RuntimeApi, startRuntimeApi } from "../../local/lambda/runtime-api.ts";
import { ask } from "../support/ask.ts";
import { type StubEdge, startStubEdge } from "../support/stub-edge.ts";

const FOREIGN = ["attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example", "127.0.0.2", "10.0.0.1:3000"];
const OURS = ["localhost", "127.0.0.1:3000", "[::1]:3000", "web.localhost:3000", "preview.web.localhost", "LocalHost:80"];

describe("an edge", () => {
  let edge: StubEdge;
  beforeAll(async () => {
    edge = await startStubEdge();
  });
  afterAll(() => edge.close());

  it.each(FOREIGN)("does not answer for %s, and no function hears of it", async (host) => {
    const { status, text } = await ask(edge.url, "/ssr", { headers: { host } });
    expect([status, text]).toEqual([403, expect.stringContaining("127.0.0.1, localhost")]);
    expect(edge.events).toEqual([]);
  });

  it.each(OURS)("answers for %s", async (host) => {
    expect((await ask(edge.url, "/ssr", { headers: { host } })).status).toBe(200);
  });

  it("takes a form of the site's own page, and one of another site: that is the app's business, as on AWS", async () => {
    for (const origin of [edge.url, "https://other.example"]) {
      const headers = { origin, "sec-fetch-site": "cross-site", "content-type": "application/x-www-form-urlencoded" };
      expect((await ask(edge.url, "/ssr", { method: "POST", headers, body: "a=1" })).status).toBe(200);
    }
  });
});

describe("the API's server", () => {
  let api: Awaited<ReturnType<typeof serveApi>>;
  beforeAll(async () => {
    api = await serveApi({ fetch: () => new Response("reached") }, { port: 0 });
  });
  afterAll(() => api.close());

  it.each(FOREIGN)("does not answer for %s", async (host) => {
    const { status, text } = await ask(api.url, "/v1/health", { headers: { host } });
    expect([status, text]).toEqual([403, expect.stringContaining('"code":"host.unknown"')]);
  });

  it.each(OURS)("answers for %s", async (host) => {
    expect((await ask(api.url, "/v1/health", { headers: { host } })).text).toBe("reached");
  });
});

describe("the Runtime API", () => {
  let runtime: RuntimeApi;
  let address: string;
  const heard: string[] = [];
  beforeAll(async () => {
    runtime = await startRuntimeApi();
    address = runtime.admit("abc", {
      next: (response) => void response.end("next"),
      succeeded: () => void heard.push("succeeded"),
      streams: () => void heard.push("streams"),
      failed: () => void heard.push("failed"),
      initFailed: () => void heard.push("initFailed"),
    });
  });
  afterAll(() => runtime.close());

  it.each([{ host: "attacker.example" }, { origin: "http://127.0.0.1:3000" }, { "sec-fetch-site": "cross-site" }])(
    "is for the environments it started, not for a page: %o",
    async (headers) => {
      const [host = "", token = ""] = address.split("/");
      const [url, path] = [`http://${host}`, `/${token}/2018-06-01/runtime`];
      expect((await ask(url, `${path}/invocation/next`, { headers })).status).toBe(403);
      expect((await ask(url, `${path}/invocation/1/response`, { method: "POST", headers, body: "{}" })).status).toBe(403);
      expect(heard).toEqual([]);
      expect((await ask(url, `${path}/invocation/next`)).text).toBe("next");
    },
  );
});
