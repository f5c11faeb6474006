import { DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { inspectAccount, type Sight } from "../../operator/doctor/sight.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { siteConfigOf } from "../support/site-config.ts";

const SITE = "web";
const STREAM = environmentStream(SITE, "production");
let room: ReplayRoom;
let sight: Sight;
let whole: ReturnType<typeof engine>;
/** commits that were read */
let read = 0;
beforeAll(async () => {
  room = await startReplayRoom();
  const config = { ...localNames, sites: [siteConfigOf(SITE, "production")], tokens: {} };
  whole = engine(config, room.clients, systemClock, () => undefined);
  for (let n = 0; n < 200; n++) {
    const because = { cause: `c${n}`, correlation: STREAM, actor: "ada" };
    await whole.aggregates.environment.execute(SITE, "production", { type: "RecordVariablesRead", names: [`N${n}`] }, because);
  }
  await whole.aggregates.environment.execute(
    SITE,
    "production",
    { type: "PinEnvironment", reason: "frozen" },
    { cause: "p", correlation: STREAM, actor: "ada" },
  );
  room.clients.dynamodb.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      read += (result.output as { Items?: unknown[] }).Items?.length ?? 0;
      return result;
    },
    { step: "initialize", name: "reads" },
  );
  sight = inspectAccount(room.clients, undefined as never);
});
afterAll(() => room.close());

const isPinned = async (): Promise<boolean> => (await sight.environment(SITE, "production")).pinned;

it("sees an environment as the log has it, and does not read all of a long past for that", async () => {
  expect(await isPinned()).toBe(true);
  expect(read).toBeLessThan(120);
  read = 0;
  expect(await isPinned()).toBe(true);
  expect(read).toBe(1);
});

it("sees it also where a newer engine has written what this one does not know", async () => {
  const { head } = await whole.store.load(STREAM);
  const events = [{ type: "EnvironmentPainted", v: 1, body: { colour: "red" } }];
  await whole.store.append(head, { events, cause: "newer", correlation: STREAM, actor: "ada", now: Date.now() });
  expect(await isPinned()).toBe(true);
});

it("sees it also where the table of snapshots is gone", async () => {
  await room.clients.dynamodb.send(new DeleteTableCommand({ TableName: SNAPSHOTS_TABLE }));
  sight = inspectAccount(room.clients, undefined as never);
  expect(await isPinned()).toBe(true);
});
