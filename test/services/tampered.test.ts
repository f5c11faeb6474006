import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { type AuditedPast, startAuditedPast } from "../support/audited-past.ts";

const ENVIRONMENT = "environment/web/production";
const itemOf = itemCodec(EVENTS_TABLE);
let past: AuditedPast;
let rollback: Commit;
beforeAll(async () => {
  past = await startAuditedPast();
  rollback = (await past.engine.store.read(ENVIRONMENT, 0)).find(({ body }) => body.includes('"rollback"')) as Commit;
}, 60_000);
afterAll(() => past.close());

const put = (commit: Commit) => past.engine.clients.dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item: itemOf(commit) }));
const dropped = () => {
  const { pk, sk } = itemOf(rollback);
  return past.engine.clients.dynamodb.send(
    new DeleteItemCommand({ TableName: EVENTS_TABLE, Key: { pk: pk ?? { S: "" }, sk: sk ?? { S: "" } } }),
  );
};

describe("a stream of which a row was changed behind Shiplog's back", () => {
  const questions = [
    "environments/web/production/why",
    "environments/web/production?at=NOW",
    "environments?at=NOW",
    "deployments?site=web&environment=production&at=NOW",
    "environments/web/production/events",
  ];
  const ask = (question: string) => past.ask("GET", question.replace("NOW", new Date().toISOString()));

  it.each(questions)("is not told of by GET %s: it says where it breaks", async (question) => {
    expect((await ask(question)).status).toBe(200);
    await put({ ...rollback, actor: "innocent-bob" });
    const changed = await ask(question);
    await dropped();
    const gone = await ask(question);
    await put(rollback);
    expect([changed.status, changed.body.error.code]).toEqual([500, "stream.broken"]);
    expect(changed.body.error.message).toContain(
      `${ENVIRONMENT} was changed behind Shiplog's back at version ${rollback.version}: its content`,
    );
    expect([gone.status, gone.body.error.code]).toEqual([500, "stream.broken"]);
    expect(gone.body.error.message).toContain(`version ${rollback.version} is missing`);
    expect((await ask(question)).status).toBe(200);
  });

  it.each(["audit", "events?since=2026-01-01T00:00:00Z"])("ends GET %s at that row", async (question) => {
    await put({ ...rollback, actor: "innocent-bob" });
    const { status, body } = await ask(question);
    await put(rollback);
    expect([status, body.error.code]).toEqual([500, "stream.broken"]);
    expect((await ask(question)).status).toBe(200);
  });

  it("keeps nobody from a subscription, nor from its secret: how far behind it is is not known", async () => {
    await put({ ...rollback, actor: "innocent-bob" });
    const added = await past.ask("POST", "subscriptions", { url: "http://127.0.0.1:9/log", from: "beginning" });
    await put(rollback);
    expect([added.status, added.body.subscription.lag]).toEqual([201, null]);
    expect(added.body.secret).toMatch(/^whsec_/);
    const { status, body } = await past.ask("POST", `subscriptions/${added.body.subscription.id}/pause`, {});
    expect([status, body.subscription.lag.events > 0]).toEqual([200, true]);
  });

  it("takes further commands: whoever can change a row must not be able to stop a rollback", async () => {
    await put({ ...rollback, actor: "innocent-bob" });
    const { status } = await past.ask("POST", "environments/web/production/lock", { reason: "while we look" });
    await put(rollback);
    expect(status).toBeLessThan(300);
    // the original row put back, the chain holds again, with all that followed
    expect((await ask("environments/web/production/why")).status).toBe(200);
  });
});
