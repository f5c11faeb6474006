import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { BUS, EVENTS_TABLE, PEOPLE_TABLE, SEAL_KEY, SNAPSHOTS_TABLE, VIEWS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { serveApi } from "../../local/api-server.ts";
import { REGION } from "../../local/http.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { startCli } from "../cli/support/run-cli.ts";
import { longHistory, usualPlan } from "../support/long-history.ts";
import { startProxy } from "../support/proxy.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";

const TOKEN = "token";
const TYPE = "BuildStarted";
const commits = [...longHistory(usualPlan(3, 600))];
const wanted = commits.flatMap(eventsOf).filter(({ type }) => type === TYPE);
const parts = [commits.slice(0, 200), commits.slice(200, 400), commits.slice(400)] as [Commit[], Commit[], Commit[]];
/** The last event of that type in a part. */
const lastOf = (part: readonly Commit[]): string => part.flatMap(eventsOf).findLast(({ type }) => type === TYPE)?.id ?? "";

let room: ReplayRoom;
let api: Awaited<ReturnType<typeof serveApi>>;
let line: Awaited<ReturnType<typeof startProxy>>;
beforeAll(async () => {
  room = await startReplayRoom();
  const tokens = { ada: hash("sha256", TOKEN, "hex") };
  const names = {
    region: REGION,
    eventsTable: EVENTS_TABLE,
    viewsTable: VIEWS_TABLE,
    snapshotsTable: SNAPSHOTS_TABLE,
    peopleTable: PEOPLE_TABLE,
    bus: BUS,
    buckets: BUCKETS,
    sealKey: SEAL_KEY,
  };
  api = await serveApi(createApi(apiPorts(engine({ ...names, sites: [], tokens }, room.clients, systemClock, () => undefined))), {
    port: 0,
  });
  line = await startProxy(api.url);
});
afterAll(async () => {
  await line.close();
  await api.close();
  await room.close();
});

/** As the engine writes: one commit after another, so that none is seen before one that stands before it in the log. */
const happen = async (part: readonly Commit[]): Promise<void> => {
  for (const commit of part) await room.write([commit]);
};
const follow = (since: string) =>
  startCli(["--json", "events", "--follow", "--type", TYPE, "--since", since], { env: { SHIPLOG_URL: line.url, SHIPLOG_TOKEN: TOKEN } });
const idsIn = (out: string): string[] =>
  out
    .split("\n")
    .slice(0, -1)
    .map((text) => (JSON.parse(text) as { id: string }).id);

describe("shiplog events --since --type --follow", () => {
  it("misses nothing and repeats nothing over a cut of the connection and the end of its process", async () => {
    await happen(parts[0]);
    const first = follow("2026-11-01T00:00:00Z");
    await first.prints(lastOf(parts[0]));

    // the connection goes while events come, and comes back
    let cuts = 0;
    line.hold(() => {
      cuts += 1;
      throw new Error("cut");
    });
    await happen(parts[1]);
    await vi.waitUntil(() => cuts >= 2, { timeout: 60_000 });
    line.hold(() => undefined);
    await first.prints(lastOf(parts[1]));

    first.kill();
    const { out } = await first.finished;
    const { position } = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "{}") as { position: string };
    await happen(parts[2]);
    const second = follow(position);
    await second.prints(lastOf(parts[2]));
    second.interrupt();
    const rest = await second.finished;

    expect([...idsIn(out), ...idsIn(rest.out)]).toEqual(wanted.map(({ id }) => id));
  });
});
