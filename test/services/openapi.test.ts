import { hash } from "node:crypto";
import SwaggerParser from "@apidevtools/swagger-parser";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { openApi } from "../../client/openapi.ts";
import { operations } from "../../client/operations.ts";
import { version } from "../../client/version.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { type ApiRoom, openApiRoom, TOKEN } from "../support/api-room.ts";
import { openApiChecker, operationFor } from "../support/openapi-checker.ts";
import { artifact, check, release, route } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

let room: ApiRoom;
beforeAll(async () => {
  const sites = {
    sites: [{ ...siteConfigOf("web", "production"), variables: ["API_URL"], valuesReadableBy: ["default"] }],
    loopbackWebhooks: true,
  };
  // this room has no Lambda: no version is there to be asked
  room = await openApiRoom(sites, (ports, engine) => ({
    ...ports,
    released: { ...ports.released, facts: async () => undefined },
    sweeps: apiPorts({
      ...engine,
      addresses: { ...engine.addresses, aliases: async () => [] },
      functions: { ...engine.functions, versions: async () => [] },
    }).sweeps,
  }));
  await room.clients.secrets.send(new CreateSecretCommand({ Name: siteResources("web", "production").secret, SecretString: "{}" }));
}, 60_000);
afterAll(() => room.close());

const wrongIn = openApiChecker();
/** operations that answered with what was asked for */
const answered = new Set<string>();
// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
type Body = any;
/** Asks, and holds the answer against the document. */
const ask = async (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Body> => {
  const { status, body: json } = await room.ask(method, path, body, headers);
  const operation = operationFor(method, new URL(`http://x/v1${path}`).pathname);
  if (operation === undefined) throw new Error(`the table has no row for ${method} ${path}`);
  expect(wrongIn(operation, status, json), `${method} ${path} ${status} ${JSON.stringify(json)}`).toEqual([]);
  if (status < 300) answered.add(operation.id);
  return json;
};

const zip = Buffer.from("a zip, more or less");
const deploy = async (): Promise<string> => {
  const { source, upload } = await ask("POST", "/sources", { site: "web", sha256: hash("sha256", zip, "hex"), bytes: zip.length });
  if (upload !== null) await fetch(upload.url, { method: "PUT", headers: upload.headers, body: zip });
  const commit = { sha: "0123abc", message: "Fix it", author: "Ada", branch: "main", dirty: true };
  const { deployment } = await ask("POST", "/deployments", { site: "web", environment: "production", source, commit, reason: "a try" });
  return deployment.id;
};
/** Until then pages of the release before reach it. */
const FAR = new Date(Date.now() + 3_600_000).toISOString();
const because = (cause: string) => ({ cause, correlation: cause, actor: "test" });
/** Brings a deployment live, as the consumers would. */
const goLive = async (id: string, sequence: number, left: readonly string[] = []): Promise<void> => {
  const give = (command: Parameters<Engine["aggregates"]["deployment"]["execute"]>[1]) =>
    room.engine.aggregates.deployment.execute(id, command, because(`${id}/${command.type}`));
  const made = { ...release(sequence), id };
  await give({ type: "RecordBuildStarted", buildId: `shiplog:${sequence}`, logs: "/aws/codebuild/shiplog:one" });
  await give({ type: "RecordBuildSucceeded", buildId: `shiplog:${sequence}`, artifact: artifact(sequence) });
  await give({ type: "StartRelease", releaseId: id });
  await give({ type: "RecordChecksPassed", release: made, checks: [check(sequence)] });
  const environment = room.engine.aggregates.environment.execute.bind(undefined, "web", "production");
  const at = new Date().toISOString();
  await environment({ type: "RequestFlip", deploymentId: id, sequence, release: made, actor: "test", at }, because(`${id}/flip`));
  const edge = { distribution: "E1", route: route(sequence, { release: id }), ended: left.map((one) => ({ release: one, until: FAR })) };
  await environment({ type: "RecordWentLive", sequence, edge }, because(`${id}/live`));
  await give({ type: "StartFlip", sequence });
  await give({ type: "SucceedDeployment", sequence });
};

const stopped = (id: string) =>
  room.engine.aggregates.deployment.execute(id, { type: "RecordBuildStopped", buildId: null, reason: "none" }, because(`${id}/stopped`));

/** What is in one list and not in the other, with what to do. */
const missing = (here: readonly string[], there: readonly string[], say: (one: string) => string): string[] =>
  here.filter((one) => !there.includes(one)).map(say);

describe("the table of operations", () => {
  it("has a row for every route that the API has, and none besides", () => {
    const routes = [...new Set(room.app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`))];
    const rows = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routes.length).toBeGreaterThan(30);
    expect([
      ...missing(
        routes,
        rows,
        (route) => `${route} has no row: add one in client/operations/ (its schemas are those of client/contract.ts)`,
      ),
      ...missing(rows, routes, (row) => `${row} has a row in client/operations/, and services/api has no such route: remove the row`),
    ]).toEqual([]);
    expect(new Set(rows).size).toBe(rows.length);
    expect(new Set(operations.map(({ id }) => id)).size).toBe(rows.length);
  });
});

describe("the API's document", () => {
  it("is valid OpenAPI 3.1, small, and tells of no field twice", async () => {
    const document = openApi();
    expect(document.openapi).toMatch(/^3\.1\./);
    await SwaggerParser.validate(structuredClone(document) as never);
    // some 120 operations, each with its refusals: what a program still reads at once
    expect(JSON.stringify(document).length).toBeLessThan(115_000);
    expect(JSON.stringify(document)).not.toContain("__shared");
  });

  it("is given to everybody but web pages", async () => {
    const answer = await room.app.request("/v1/openapi.json");
    expect([answer.status, await answer.json()]).toEqual([200, openApi()]);
    expect((await room.app.request("/v1/openapi.json", { headers: { origin: "https://attacker.example" } })).status).toBe(403);
  });

  it("says of every operation what it really answers", async () => {
    for (const path of ["/health", "/health/engine", "/openapi.json", "/environments", "/environments/web/production", "/deployments"])
      await ask("GET", path);
    const one = await deploy();
    await goLive(one, 1);
    const two = await deploy();
    await goLive(two, 2, [one]);
    const three = await deploy();
    await ask("GET", `/deployments/${one}/compare/${two}`);
    const place = "/environments/web/production";
    for (const path of [`/deployments/${one}`, `/deployments/${one}/events?after=1`, `/deployments/${three}/logs`, "/deployments?limit=2"])
      await ask("GET", path);
    for (const path of ["", "/rollback", "/events", "/history?limit=1", "/why"]) await ask("GET", `${place}${path}`);
    await ask("POST", `${place}/releases/${two}/cut`, {});
    await ask("POST", `${place}/releases/${one}/cut`, { reason: "it is broken" });
    await ask("POST", `${place}/releases/${one}/keep`, { reason: "an audit" });
    await ask("POST", `${place}/releases/${one}/unkeep`, {});
    await ask("GET", `${place}/sweep?explain=${one}`);
    await ask("POST", `${place}/sweep`, {});
    const key = { "idempotency-key": "one" };
    await ask("POST", `${place}/rollback`, { reason: "it is broken" }, key);
    await ask("POST", `${place}/rollback`, { reason: "another" }, key);
    await ask("POST", `${place}/pin`, { reason: "an audit" });
    await ask("POST", `${place}/lock`, { reason: "an audit", until: new Date(Date.now() + 60_000).toISOString() });
    await ask("GET", place);
    await ask("POST", `${place}/unlock`, {});
    await ask("POST", `${place}/unpin`, {});
    await ask("POST", `/deployments/${three}/retry`, {});
    await ask("POST", `/deployments/${three}/cancel`, { reason: "not wanted" });
    await stopped(three);
    await ask("POST", `/deployments/${three}/retry`, {});
    await ask("GET", `/environments?at=${new Date().toISOString()}`);
    for (const path of ["/audit?site=web", "/dora?site=web", "/events?limit=10", "/seals", "/dead-letters"]) await ask("GET", path);
    await ask("POST", "/seals", {});
    await ask("GET", "/seals");
    await ask("GET", "/seals/newest");
    await ask("POST", "/dead-letters/empty", { site: "web", environment: "production" });
    await deadLetters();
    await ask("PUT", `${place}/variables`, { values: { API_URL: "https://api.example.com" } });
    await ask("POST", `${place}/variables/read`, {});
    await ask("DELETE", `${place}/variables/API_URL`);
    await ask("GET", `${place}/variables`);
    await hooks();
    await subscriptions();
    for (const path of ["/caller", "/sessions"]) await ask("GET", path);
    const { session } = await ask("POST", "/sessions", {});
    await ask("POST", `/sessions/${session.id}/end`, {});
    const { people } = await ask("GET", "/people");
    await ask("POST", `/people/${people[0].id}/forget`, { reason: "left" });
    expect(
      missing(
        // a stream has no end: services/event-stream.test.ts reads it
        operations.filter(({ type }) => type === undefined).map(({ id }) => id),
        [...answered],
        (id) => `${id} was never answered: ask for it here`,
      ),
    ).toEqual([]);
  });

  it("says how each kind of refusal looks", async () => {
    await ask("GET", "/environments", undefined, { authorization: "Bearer wrong" });
    await ask("GET", "/environments", undefined, { origin: "https://attacker.example" });
    await ask("GET", "/deployments?limit=many");
    await ask("GET", "/deployments?site=unknown");
    await ask("GET", "/stream");
    await ask("GET", "/deployments/0");
    await ask("POST", "/sources", { site: "unknown", sha256: "a".repeat(64), bytes: 1 });
    await ask("POST", "/deployments", { site: "web" });
    await ask("POST", "/deployments/dep_00000000000000000000000000/cancel", {});
    await ask("POST", "/webhooks", { kind: "standard", url: "ftp://example.com" });
    await ask("POST", "/environments/web/production/pin", { reason: "x".repeat(1_000_001) });
    await ask("POST", "/environments/web/production/pin", { reason: "an audit" }, { "idempotency-key": "a b" });
  });
});

/** What can be done with what no consumer could take. */
const deadLetters = async (): Promise<void> => {
  const { deadLetter: putAside } = room.engine.queues.redelivery("project");
  for (const body of ["{}", JSON.stringify({ detail: { stream: "environment/web/production", id: "e", type: "FlipHeld" } })])
    await putAside({ messageId: "m", body, attributes: { ApproximateReceiveCount: "1" } } as never, "it is strange");
  const { letters } = await ask("GET", "/dead-letters");
  const [first, second] = letters.map(({ messageId }: { messageId: string }) => `/dead-letters/${messageId}`);
  await ask("GET", first);
  await ask("POST", `${first}/redrive`, {});
  await ask("POST", `${second}/drop`, {});
  await ask("POST", `${second}/drop`, { reason: "a trial" });
  await ask("GET", second);
};

/** What can be done with an endpoint. */
const hooks = async (): Promise<void> => {
  const { webhook } = await ask("POST", "/webhooks", { kind: "standard", url: "http://127.0.0.1:9/hook", types: ["DeploymentFailed"] });
  const at = `/webhooks/${webhook.id}`;
  const { delivery } = await ask("POST", `${at}/test`, {});
  for (const path of ["/webhooks", at, `${at}/deliveries`, `${at}/deliveries/${delivery.id}`]) await ask("GET", path);
  await ask("POST", `${at}/deliveries/${delivery.id}/redeliver`, {});
  for (const verb of ["rotate", "enable", "remove"]) await ask("POST", `${at}/${verb}`, {});
};

/** What can be done with a subscription. */
const subscriptions = async (): Promise<void> => {
  const { subscription } = await ask("POST", "/subscriptions", { url: "http://127.0.0.1:9/feed", from: "beginning" });
  const at = `/subscriptions/${subscription.id}`;
  for (const path of ["/subscriptions", at]) await ask("GET", path);
  for (const verb of ["pause", "resume"]) await ask("POST", `${at}/${verb}`, {});
  await ask("POST", `${at}/reset`, { from: "now", reason: "a trial" });
  await ask("POST", `/webhooks/${subscription.id}/remove`, {});
  await ask("GET", at);
};

it.each([
  ["/v1/health", 200],
  ["/v1/environments", 401],
  ["/v1/environments", 403, { origin: "https://attacker.example" }],
  ["/v1/nothing", 404, { authorization: `Bearer ${TOKEN}` }],
  ["/elsewhere", 404],
])("the engine's version is on every answer: %s %i", async (path, status, headers?: object) => {
  const answer = await room.app.request(path, { headers: { ...headers } });
  expect([answer.status, answer.headers.get("x-shiplog-version")]).toEqual([status, version]);
});

it("the engine's version is on a fault's answer too", async () => {
  const ports = apiPorts(room.engine);
  const broken = createApi({ ...ports, deadLetters: { ...ports.deadLetters, list: () => Promise.reject(new Error("broken")) } });
  const answer = await broken.request("/v1/dead-letters", { headers: { authorization: `Bearer ${TOKEN}` } });
  expect([answer.status, answer.headers.get("x-shiplog-version")]).toEqual([500, version]);
});
