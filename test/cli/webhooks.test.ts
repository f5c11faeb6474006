import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Delivery, newDelivery } from "../../domain/webhook/delivery.ts";
import { outcomeTypes } from "../../domain/webhook/notable.ts";
import { news } from "../support/news.ts";
import { webhookId } from "../support/samples.ts";
import { runCli } from "./support/run-cli.ts";
import { at, type StubEngine, stubEngine } from "./support/stub-engine.ts";

const ID = webhookId(1);
const view = {
  id: ID,
  kind: "standard",
  url: "https://example.com/…",
  filters: { site: null, environment: null, types: [] },
  actor: "alice (token default)",
  addedAt: at(0),
  rotatedAt: null,
  disabled: null,
  removedAt: null,
  version: 1,
};
let engine: StubEngine;
const cli = (...words: string[]) => runCli(words, { env: engine.env });
const answers = (name: string, body: object, status = 200) =>
  engine.state.instead.set(name.replace("webhooks", `/v1/webhooks/${ID}`), { status, body, always: true });
const asked = () => engine.state.asked.map(({ method, path }) => `${method} ${path.replace(`/v1/webhooks/${ID}`, "webhooks")}`);
beforeEach(async () => {
  engine = await stubEngine();
  answers("GET webhooks", { webhook: view });
});
afterEach(() => engine.close());

describe("shiplog webhooks test and redeliver", () => {
  const before = newDelivery("msg_1", ID, news(), at(0));
  const redelivered = (delivery: Delivery, after: Partial<Delivery>) => {
    answers("POST webhooks/deliveries/msg_1/redeliver", { delivery }, 202);
    answers("GET webhooks/deliveries/msg_1", { delivery: { ...delivery, updatedAt: at(1), ...after } });
    return cli("webhooks", "redeliver", ID, "msg_1");
  };

  it.each([
    ["dead", "given up after 0 attempts: the secret is gone"],
    ["dropped", "not sent: the secret is gone"],
  ] as const)("end with the reason where a message is %s without an attempt", async (status, words) => {
    answers("POST webhooks/test", { delivery: before }, 202);
    answers("GET webhooks/deliveries/msg_1", { delivery: { ...before, status, reason: "the secret is gone", updatedAt: at(1) } });
    expect(await cli("webhooks", "test", ID)).toEqual({
      code: 5,
      out: `msg_1  ${words}\n`,
      err: `Look closer:  shiplog webhooks deliveries ${ID} msg_1\n`,
    });
    expect(JSON.parse((await cli("webhooks", "test", ID, "--json")).out).delivery.status).toBe(status);
  });

  it("tell apart what was so before from what came of it", async () => {
    const dead: Delivery = { ...before, status: "dead", attempts: 3, reason: "it answered 500", nextAt: null };
    const again = await redelivered(dead, { reason: "the secret is gone" });
    expect([again.code, again.out]).toEqual([5, "msg_1  given up after 3 attempts: the secret is gone\n"]);
  });
});

describe("shiplog webhooks rm", () => {
  beforeEach(() => answers("GET webhooks", { error: { code: "webhook.unknown", message: `There is no webhook endpoint ${ID}.` } }, 404));

  it("goes on where it was cut off: the endpoint was removed and its secret was not", async () => {
    answers("POST webhooks/remove", { webhook: { ...view, removedAt: at(1) } });
    expect(await cli("webhooks", "rm", ID)).toEqual({ code: 0, out: `${ID} is removed.\n`, err: "" });
    expect(asked()).toEqual(["GET webhooks", "POST webhooks/remove"]);
  });

  it("says that there is none where there never was, and removes nothing by the beginning of an id", async () => {
    const body = { error: { code: "webhook.unknown", message: "There is no webhook endpoint." } };
    answers("POST webhooks/remove", body, 404);
    expect(await cli("webhooks", "rm", ID, "--yes")).toMatchObject({ code: 2, out: "" });
    engine.state.asked.length = 0;
    engine.state.instead.set("GET /v1/webhooks/wh_01", { status: 404, body });
    expect(await cli("webhooks", "rm", "wh_01", "--yes")).toMatchObject({ code: 2, out: "" });
    expect(asked()).toEqual(["GET /v1/webhooks/wh_01"]);
  });
});

describe("shiplog webhooks add", () => {
  const URL_OF_SLACK = "https://hooks.slack.com/services/T0/B0/hidden";
  const added = (...words: string[]) => {
    engine.state.instead.set("POST /v1/webhooks", { status: 201, body: { webhook: { ...view, kind: "slack" }, secret: null } });
    return cli("webhooks", "add", URL_OF_SLACK, ...words);
  };

  it("tells Slack each change of a status, and says how to hear of what came of it alone", async () => {
    expect(await added()).toMatchObject({
      code: 0,
      err: expect.stringContaining("each change of a status, from queued to live. For what came of it alone, add it with --outcomes."),
    });
    expect(engine.state.asked.at(-1)?.body).toMatchObject({ types: [] });
  });

  it("tells with --outcomes only what came of it, and says so", async () => {
    expect(await added("--outcomes")).toMatchObject({
      code: 0,
      err: expect.stringContaining("only of what came of it: live, failed, held, rolled back, pinned, locked, drift."),
    });
    expect(engine.state.asked.at(-1)?.body).toMatchObject({ types: [...outcomeTypes] });
    expect((await added("--outcomes", "--type", "FlipFailed")).code).toBe(2);
  });

  it("says what it does without --type", async () => {
    const { out } = await cli("webhooks", "add", "--help");
    expect(out.replace(/\s+/g, " ")).toContain("default: every change of a status ");
    expect(out).not.toContain("[])");
  });
});
