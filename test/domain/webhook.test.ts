import { describe, expect, it } from "vitest";
import { consumers } from "../../blueprint/topology.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { WebhookCommand } from "../../domain/webhook/commands.ts";
import { webhook } from "../../domain/webhook/decider.ts";
import type { WebhookEvent, WebhookFilters } from "../../domain/webhook/events.ts";
import { type News, wants } from "../../domain/webhook/news.ts";
import { notableTypes } from "../../domain/webhook/notable.ts";
import { asked, specification } from "../support/given.ts";
import { at } from "../support/samples.ts";

const given = specification(webhook);
const past = asked(webhook);
const everything: WebhookFilters = { site: null, environment: null, types: [] };
const add = (kind: "slack" | "standard" = "standard"): WebhookCommand => ({
  type: "AddWebhook",
  kind,
  maskedUrl: "https://example.com/…",
  filters: everything,
});
const FIRST = "000000000000000";
const LATER = "001795435200000";
const disable: WebhookCommand = { type: "DisableWebhook", reason: "it answered 410" };
const event = <T extends WebhookEvent["type"]>(type: T, body: Extract<WebhookEvent, { type: T }>["body"]) =>
  ({ type, v: 1, body }) as WebhookEvent;

describe("a webhook endpoint", () => {
  it("is added once", () => {
    given()
      .when(add())
      .yields(event("WebhookAdded", { kind: "standard", maskedUrl: "https://example.com/…", filters: everything }));
    given(...past(add()))
      .when(add())
      .yields();
  });
  it("is disabled once, and enabled again", () => {
    given(...past(add()))
      .when(disable)
      .yields(event("WebhookDisabled", { reason: "it answered 410" }));
    given(...past(add(), disable))
      .when(disable)
      .yields();
    given(...past(add(), disable))
      .when({ type: "EnableWebhook" })
      .yields(event("WebhookEnabled", {}));
    given(...past(add()))
      .when({ type: "EnableWebhook" })
      .yields();
  });
  it("gets a new secret as often as it is asked for", () => {
    const rotate: WebhookCommand = { type: "RotateSecret", previousUntil: at(86_400) };
    given(...past(add(), rotate))
      .when(rotate)
      .yields(event("WebhookSecretRotated", { previousUntil: at(86_400) }));
  });
  it("of Slack has no secret to rotate", () => {
    given(...past(add("slack")))
      .when({ type: "RotateSecret", previousUntil: at() })
      .refuses("webhook.no-secret");
  });
  it("that was never added is abandoned, so that nobody adds it any more; one that was added is not", () => {
    const abandon: WebhookCommand = { type: "AbandonWebhook", reason: "its adding was cut off" };
    const abandoned = past(abandon);
    expect(abandoned.map(({ type }) => type)).toEqual(["WebhookAdded", "WebhookRemoved"]);
    given(...abandoned)
      .when(add())
      .refuses("webhook.removed");
    given(...abandoned)
      .when(abandon)
      .yields();
    given(...past(add()))
      .when(abandon)
      .yields();
  });
  it("is removed for good", () => {
    const removed = past(add(), { type: "RemoveWebhook", reason: "moved" });
    expect(removed.at(-1)).toEqual(event("WebhookRemoved", { reason: "moved" }));
    given(...removed)
      .when({ type: "RemoveWebhook" })
      .yields();
    given(...removed)
      .when(add())
      .refuses("webhook.removed");
    given(...removed)
      .when(disable)
      .refuses("webhook.removed");
  });
  it("of the kind subscription begins where it is told to, and again where it is reset to", () => {
    const subscribe: WebhookCommand = { ...(add() as Extract<WebhookCommand, { type: "AddWebhook" }>), kind: "subscription", from: FIRST };
    const reset: WebhookCommand = { type: "ResetWebhook", from: LATER, reason: "its store was lost" };
    given()
      .when(subscribe)
      .yields(event("WebhookAdded", { kind: "subscription", maskedUrl: "https://example.com/…", filters: everything, from: FIRST }));
    given(...past(subscribe))
      .when(reset)
      .yields(event("WebhookReset", { from: LATER, reason: "its store was lost" }));
    expect(fold(webhook, past(subscribe)).begins).toEqual({ from: FIRST, resets: 0 });
    // to the same place once more is a reset, too
    expect(fold(webhook, past(subscribe, reset, reset)).begins).toEqual({ from: LATER, resets: 2 });
  });
  it("of another kind has no place to be reset to", () => {
    given(...past(add()))
      .when({ type: "ResetWebhook", from: FIRST })
      .refuses("webhook.no-place");
    expect(fold(webhook, past(add())).begins).toBeNull();
  });
  it("that was never added refuses everything else", () => {
    given().when(disable).refuses("webhook.absent");
    given().when({ type: "RemoveWebhook" }).refuses("webhook.absent");
  });
});

describe("what an endpoint wants to hear", () => {
  const news = (change: Partial<News>) =>
    ({ site: "web", environment: "production", type: "DeploymentFailed", flip: null, ...change }) as News;

  it("is everything where nothing is filtered, and a deployment that goes live once", () => {
    expect(wants(everything, news({}))).toBe(true);
    expect(wants(everything, news({ type: "ReleaseWentLive", flip: "deploy" }))).toBe(false);
    expect(wants(everything, news({ type: "ReleaseWentLive", flip: "rollback" }))).toBe(true);
    expect(wants({ ...everything, types: ["ReleaseWentLive"] }, news({ type: "ReleaseWentLive", flip: "deploy" }))).toBe(true);
  });
  it.each([
    [{ site: "web" }, true],
    [{ site: "docs" }, false],
    [{ environment: "production" }, true],
    [{ environment: "staging" }, false],
    [{ types: ["DeploymentFailed"] }, true],
    [{ types: ["DeploymentSucceeded"] }, false],
    [{ site: "web", environment: "staging", types: ["DeploymentFailed"] }, false],
  ])("%j: %s", (filters, wanted) => {
    expect(wants({ ...everything, ...filters }, news({}))).toBe(wanted);
  });
  it("is what the rule of `notify` lets through", () => {
    const notify = consumers.find(({ name }) => name === "notify");
    expect(notify?.pattern).toMatchObject({ "detail-type": notableTypes });
  });
});
