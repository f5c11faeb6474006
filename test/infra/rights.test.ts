import { afterAll, beforeAll, expect, it } from "vitest";
import { componentName } from "../../blueprint/engine-functions.ts";
import { doEverythingOnce } from "../support/everything-once.ts";
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
  // ids that only AWS gives
  const kind = [":key/", ":key-value-store/"].find((one) => on.startsWith(one));
  return new RegExp(`^${pattern}$`).test(on) || (kind !== undefined && own.startsWith(kind));
};

it("every function may do what it was seen to do", { timeout: 300_000 }, async () => {
  await doEverythingOnce(world, receiver);
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
    "end-release",
    "feed",
    "flip-alias",
    "notify",
    "project",
    "publish-release",
    "reconcile",
    "relay",
    "seal",
    "start-build",
    "stop-build",
    "wake",
    "watch-build",
  ]);
});
