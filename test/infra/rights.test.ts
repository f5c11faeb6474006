import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { componentName } from "../../blueprint/engine-functions.ts";
import { VIEWS_TABLE } from "../../blueprint/topology.ts";
import { waitingRows } from "../../engine/views/waiting-rows.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";
import { until } from "../support/until.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { type Asked, askedBy } from "./support/action.ts";
import { graphOf, one, type Statement, statements } from "./support/graph.ts";
import { startRecordedWorld } from "./support/recorded-world.ts";

let world: Awaited<ReturnType<typeof startRecordedWorld>>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeAll(async () => {
  world = await startRecordedWorld();
  receiver = await startReceiver();
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

const PLACE = "environments/web/production";
const ENDS = ["success", "failed", "cancelled", "superseded"];

const deploy = async (change: Parameters<typeof writeFixtureApp>[1]): Promise<string> => {
  const app = `${world.folder}/app-${Math.random().toString(36).slice(2)}`;
  await writeFixtureApp(app, change);
  return (await world.api.deploy("web", "production", await world.api.upload("web", app))).id;
};
const reached = (id: string, ...wanted: string[]) =>
  until(`${id} to be ${wanted.join(" or ")}`, async () => {
    const { status, reason } = await world.api.deployment(id);
    if (wanted.includes(status)) return true;
    if (ENDS.includes(status)) throw new Error(`${id} is ${status}: ${reason}`);
    return undefined;
  });

/** Does everything once that a person, a build or the time of day can make the engine do. */
const live = async (): Promise<void> => {
  const added = await world.api.post("webhooks", { kind: "standard", url: receiver.url("hook") });
  expect(added.status, added.text).toBe(201);
  const hook = added.body.webhook.id as string;
  const first = await deploy({});
  await reached(first, "success");
  await reached(await deploy({}), "success");
  const broken = await deploy({ failsWith: "this one is broken" });
  await reached(broken, "failed");
  await world.api.get(`deployments/${broken}/logs`);
  const cancelled = await deploy({ takes: 60_000 });
  await reached(cancelled, "building");
  await world.api.post(`deployments/${cancelled}/cancel`);
  await reached(cancelled, "cancelled");
  await world.api.rollback("web", "production", first);
  await until("the rollback to be live", async () => (await world.api.environment("web", "production")).live?.deploymentId === first);
  await until("the edge to know", async () => (await world.api.events(PLACE)).filter(({ type }) => type === "EdgeInvalidated").length >= 3);
  await world.api.post(`webhooks/${hook}/test`);
  await world.api.post(`webhooks/${hook}/rotate`);
  await until("the receiver to hear", async () => (await receiver.at("hook")).length > 5);
  const waiting = waitingRows(DynamoDBDocumentClient.from(world.aws.clients.dynamodb), VIEWS_TABLE);
  await waiting.noteWaiting({ consumer: "deliver", key: "no message", body: "{}", due: 0, token: "t" });
  await until("what waited to be in its queue", async () => (await waiting.waiting("deliver", "no message")) === undefined);
  await world.api.get("dead-letters");
  await world.api.post("dead-letters/empty", { site: "web", environment: "production" });
  await world.api.post("seals");
  await world.api.get("seals");
  await world.api.send("DELETE", `webhooks/${hook}`);
};

const allows = (said: readonly Statement[], { action, on }: Asked): boolean =>
  (["Allow", "Deny"] as const).every(
    (effect) =>
      said.some(
        ({ Effect, Action, Resource }) =>
          Effect === effect && Action.includes(action) && Resource.some((resource) => matches(resource, on)),
      ) ===
      (effect === "Allow"),
  );
/** The accounts differ, and a bucket's name carries its own. */
const matches = (resource: string, on: string): boolean => {
  if (resource === "*") return on === "*";
  const own = resource
    .replace(/-123456789012-eu-west-1/, "")
    .replace(/^arn:aws:([^:]*):[^:]*:[^:]*:/, (_, service) => (service === "s3" ? ":s3:::" : ":"));
  const pattern = own
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(on) || (on.startsWith(":key/") && own.startsWith(on));
};

it("every function may do what it was seen to do", { timeout: 300_000 }, async () => {
  await live();
  const graph = graphOf("production");
  const refused = new Set<string>();
  const seen = new Map<string, Set<string>>();
  for (const call of world.calls) {
    const said = statements(one(graph, "role", `${componentName(call.by)}Role`));
    for (const asked of askedBy(call)) {
      // asked for the date of its answer alone: a refusal has one, too
      if (asked.action === "dynamodb:ListTables") continue;
      seen.set(call.by, (seen.get(call.by) ?? new Set()).add(asked.action));
      if (!allows(said, asked)) refused.add(`${call.by} may not do ${asked.action} on ${asked.on}`);
    }
  }
  console.log([...seen].map(([name, actions]) => `${name}: ${[...actions].sort().join(" ")}`).join("\n"));
  expect([...refused].sort()).toEqual([]);
  // a function that nothing was seen of would pass for nothing
  expect([...seen.keys()].sort()).toEqual([
    "advance",
    "api",
    "deliver",
    "flip-alias",
    "notify",
    "project",
    "publish-release",
    "reconcile",
    "refresh-edge",
    "relay",
    "seal",
    "start-build",
    "stop-build",
    "wake",
    "watch-build",
  ]);
});
