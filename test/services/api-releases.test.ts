import { hash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Route } from "../../domain/environment/route.ts";
import { type ApiRoom, openApiRoom, READ_TOKEN } from "../support/api-room.ts";
import { deploymentId, release, request, route } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [siteConfigOf("web", "production"), siteConfigOf("shop", "production")] });
  for (const [n, hours] of [
    [1, -1],
    [2, 1],
    [3, 2],
  ] as const)
    await goLive(n, hours);
  await asks(4);
}, 60_000);
afterAll(() => room.close());

const cut = (n: number | string, body: object = {}, headers: Record<string, string> = {}) =>
  room.ask("POST", `/environments/web/production/releases/${typeof n === "string" ? n : deploymentId(n)}/cut`, body, headers);
const routes = async (): Promise<(Route & { deploymentId: string; ended: string | null })[]> =>
  (await room.ask("GET", "/environments/web/production")).body.environment.routes;

const give: Give = (command, cause) =>
  room.engine.aggregates.environment.execute("web", "production", command, { cause, correlation: cause, actor: "test" });
type Give = (command: Parameters<ApiRoom["engine"]["aggregates"]["environment"]["execute"]>[2], cause: string) => Promise<unknown>;
const asked = { actor: "ada", at: new Date().toISOString() };
/** A deployment that asks to go live. */
const asks = async (n: number): Promise<void> => {
  await give({ type: "AdmitDeployment", request: request(n), ...asked }, `${n}/admit`);
  const queued = { type: "QueueDeployment", request: request(n), sequence: n } as const;
  await room.engine.aggregates.deployment.execute(deploymentId(n), queued, { cause: `${n}/queue`, correlation: "c", actor: "test" });
  await give({ type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...asked }, `${n}/flip`);
};
/** The one before is reached for so many hours more. */
const goLive = async (n: number, hours: number): Promise<void> => {
  await asks(n);
  const until = new Date(Date.now() + hours * 3_600_000).toISOString();
  const ended = n === 1 ? [] : [{ release: deploymentId(n - 1), until }];
  await give({ type: "RecordWentLive", sequence: n, edge: { distribution: "E1", route: route(n), ended } }, `${n}/live`);
};

it("shows what is reached at which address, the newest first", async () => {
  expect((await routes()).map(({ deploymentId, address, ended }) => [deploymentId, address, ended])).toEqual([
    [deploymentId(3), 3, null],
    [deploymentId(2), 2, null],
    [deploymentId(1), 1, null],
  ]);
});

it.each([
  ["release.live", 3, "is what is live: deploy another or roll back, and cut it then"],
  ["release.going-live", 4, "is going live (#4)"],
  ["release.not-routed", 9, `the edge's table has ${deploymentId(1)}, ${deploymentId(2)}, ${deploymentId(3)}`],
] as const)("refuses with %s, and changes nothing", async (code, n, because) => {
  const before = await routes();
  const { status, body } = await cut(n);
  expect([status, body.error.code]).toEqual([409, code]);
  expect(body.error.message).toMatch(new RegExp(`^web/production cannot cut ${deploymentId(n)} off: `));
  expect(body.error.message).toContain(because);
  expect(await routes()).toEqual(before);
});

it("refuses a token that may only look, an unknown environment, and a field that it does not know", async () => {
  expect(await cut(2, {}, { authorization: `Bearer ${READ_TOKEN}` })).toMatchObject({
    status: 403,
    body: { error: { code: "token.read-only" } },
  });
  expect(await room.ask("POST", `/environments/web/nope/releases/${deploymentId(2)}/cut`, {})).toMatchObject({
    status: 404,
    body: { error: { code: "environment.unknown" } },
  });
  expect(await cut(2, { force: true })).toMatchObject({ status: 400, body: { error: { code: "body.invalid" } } });
  expect((await room.ask("POST", `/environments/shop/production/releases/${deploymentId(2)}/cut`, {})).body.error.code).toBe(
    "release.not-routed",
  );
  expect((await routes()).every(({ ended }) => ended === null)).toBe(true);
});

it("cuts one off, once, with who did it and why in the log", async () => {
  const key = { "idempotency-key": hash("sha256", "cut", "hex") };
  const { status, body } = await cut(2, { reason: "it charges twice" }, key);
  expect(status).toBe(200);
  const { version } = body.environment;
  expect(body.environment.routes.find((one: { address: number }) => one.address === 2)).toMatchObject({ ended: "cut" });
  const { events } = (await room.ask("GET", `/environments/web/production/events?after=${version - 1}`)).body;
  expect(events).toMatchObject([
    {
      type: "ReleaseEnded",
      actor: "alice (token default)",
      body: { release: deploymentId(2), address: 2, reason: "cut", why: "it charges twice" },
    },
  ]);
  expect((await cut(2, { reason: "it charges twice" }, key)).body.environment.version).toBe(version);
  expect((await cut(2)).body.environment.version).toBe(version);
});
