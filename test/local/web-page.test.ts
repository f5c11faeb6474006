import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateBucketCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveApi } from "../../local/api-server.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { startBrowser } from "../support/browser.ts";
import { type StubEdge, startStubEdge } from "../support/stub-edge.ts";
import { type Clients, clientsOf, newDataDir, removeDataDirs } from "./endpoint-support.ts";

const browser: Browser | undefined = await startBrowser(["--host-resolver-rules=MAP attacker.example 127.0.0.1"]);
const page = createServer((_request, response) => void response.setHeader("content-type", "text/html").end("<h1>a page</h1>"));
let endpoint: Endpoint;
let clients: Clients;
let edge: StubEdge;
let api: Awaited<ReturnType<typeof serveApi>>;
let asked = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  endpoint = await startEndpoint({ dataDir: newDataDir() });
  endpoint.mount("lambda", async () => ({ status: 200, body: "{}" }));
  clients = clientsOf(endpoint);
  await clients.s3.send(new CreateBucketCommand({ Bucket: "artifacts" }));
  await clients.secrets.send(new CreateSecretCommand({ Name: "web", SecretString: "a value" }));
  edge = await startStubEdge();
  api = await serveApi({ fetch: () => new Response(`reached ${++asked}`) }, { port: 0 });
});
afterAll(async () => {
  await browser?.close();
  page.close();
  clients.destroy();
  await Promise.all([endpoint.close(), edge.close(), api.close()]);
  removeDataDirs();
});

/** Runs in the page: sends a request and says what the page could read of the answer. */
const send = async ([url, method, type, body]: readonly [string, string, string, string]): Promise<string> => {
  const mode = "no-cors" as const;
  const answer = await fetch(url, method === "GET" ? { mode } : { mode, method, body, headers: { "content-type": type } });
  return `${answer.status} ${await answer.text()}`;
};

describe.skipIf(browser === undefined)("a page in a real browser (skipped where no Chromium is installed)", () => {
  const open = async (url: string) => {
    const opened = await (browser as Browser).newPage();
    await opened.goto(url);
    return opened;
  };
  const portOf = (url: string): string => new URL(url).port;

  it("of another port makes no function, no object, and reads nothing", async () => {
    const before = endpoint.counters();
    const attacker = await open(`http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
    await attacker.evaluate(send, [`${endpoint.url}/2015-03-31/functions`, "POST", "text/plain", '{"FunctionName":"driveby"}'] as const);
    await attacker.evaluate(send, [`${endpoint.url}/artifacts`, "GET", "", ""] as const);
    await attacker.evaluate(async (url) => {
      const form = new FormData();
      form.set("key", "driveby");
      form.set("file", "x");
      await fetch(url, { mode: "no-cors", method: "POST", body: form });
    }, `${endpoint.url}/artifacts`);
    expect(endpoint.counters()).toEqual(before);
    expect((await clients.s3.send(new ListObjectsV2Command({ Bucket: "artifacts" }))).KeyCount).toBe(0);
    await attacker.close();
  });

  it("whose name was made to point here reads nothing from endpoint, API and edge", async () => {
    const before = endpoint.counters();
    for (const [url, path] of [
      [endpoint.url, "/artifacts"],
      [api.url, "/v1/health"],
      [edge.url, "/ssr"],
    ] as const) {
      const attacker = await open(`http://attacker.example:${portOf(url)}${path}`);
      const read = await attacker.evaluate(async (own) => (await fetch(own, { method: "POST", body: "{}" })).status, path);
      expect([url, read]).toEqual([url, 403]);
      expect(await attacker.content()).not.toMatch(/reached|from server/);
      await attacker.close();
    }
    expect([endpoint.counters(), asked, edge.events]).toEqual([before, 0, []]);
  });

  it("of the site itself is served", async () => {
    const visitor = await open(`http://web.localhost:${edge.port}/ssr`);
    expect(await visitor.content()).toContain("from server");
    await visitor.close();
  });
});
