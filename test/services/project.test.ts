import { expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import { Generations } from "../../engine/views/generations.ts";
import { type Kept, keepRow } from "../../engine/views/keep-row.ts";
import type { Views } from "../../engine/views/views.ts";
import { WAYPOINT_EVERY } from "../../engine/views/waypoint-notes.ts";
import { project } from "../../services/project/project.ts";
import { longHistory } from "../support/long-history.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

/** Rows as a table keeps them: an older one never replaces a newer one. */
const rowsOf = (first?: DeploymentView) => {
  let row = first;
  const rows: Kept<DeploymentView> = {
    get: async () => row,
    put: async (view) => {
      if (row !== undefined && row.version >= view.version) return false;
      row = view;
      return true;
    },
  };
  return { rows, row: () => row };
};

const inRoom = async (act: (room: VerbRoom, stream: string) => Promise<void>): Promise<void> => {
  const room = await startVerbRoom();
  try {
    const { queue, began, built, stream } = steps(1);
    await room.deployment(1, queue(1), began, built);
    await act(room, stream);
  } finally {
    await room.close();
  }
};

it("folds a new row from the first commit on", () =>
  inRoom(async ({ store }, stream) => {
    const { rows, row } = rowsOf();
    await keepRow(store.read, "deployments", rows, stream, 1);
    expect(row()).toMatchObject({ version: 3, status: "built", site: "web" });
  }));

it("brings a row that is one commit behind up to it, and reads no more than that", () =>
  inRoom(async ({ store }, stream) => {
    const { rows, row } = rowsOf();
    await keepRow(async (of, after) => (await store.read(of, after)).slice(0, 2), "deployments", rows, stream, 2);
    expect(row()).toMatchObject({ version: 2, status: "building" });
    const asked: number[] = [];
    const read = (of: string, after: number): Promise<readonly Commit[]> => {
      asked.push(after);
      return store.read(of, after);
    };
    await keepRow(read, "deployments", rows, stream, 3);
    expect([row()?.status, asked]).toEqual(["built", [2]]);
    await keepRow(read, "deployments", rows, stream, 2);
    expect(asked).toEqual([2]);
  }));

it("goes on after a lost race, where what the other wrote is older than what it was told of", () =>
  inRoom(async ({ store }, stream) => {
    const other = rowsOf();
    await keepRow(async (of, after) => (await store.read(of, after)).slice(0, 2), "deployments", other.rows, stream, 2);
    const { rows, row } = rowsOf();
    let races = 0;
    const racing: Kept<DeploymentView> = {
      get: rows.get,
      put: async (view) => {
        if (races++ > 0) return rows.put(view);
        await rows.put(other.row() as DeploymentView);
        return false;
      },
    };
    await keepRow(store.read, "deployments", racing, stream, 3);
    expect([row()?.version, races]).toEqual([3, 2]);
  }));

it("leaves a waypoint where it comes past one, for who asks about the past", async () => {
  const stream = environmentStream("web", "production");
  const history = [...longHistory({ seed: 3, events: 3_000, sites: ["web"], environments: ["production"] })];
  const commits = history.filter((commit) => commit.stream === stream);
  const [live, noted] = [new Map<string, EnvironmentView>(), [] as number[]];
  const rows = {
    environments: {
      get: async () => structuredClone(live.get(stream)),
      put: async (view: EnvironmentView) => live.set(stream, structuredClone(view)) !== undefined,
    },
  };
  const run = project({
    read: async (_, after) => commits.slice(after, end),
    views: {
      generations: async () => Generations.parse({ live: {}, building: null, last: 0 }),
      rows: () => rows as unknown as ReturnType<Views["rows"]>,
      noteWaypoint: async ({ version, hash }, view) => {
        expect(view).toEqual(live.get(stream));
        expect(hash).toBe(commits[version - 1]?.hash);
        noted.push(version);
      },
    },
  });
  let end = 0;
  for (end of [WAYPOINT_EVERY - 1, WAYPOINT_EVERY + 3, WAYPOINT_EVERY + 9, 2 * WAYPOINT_EVERY]) await run({ stream, version: end });
  expect(noted).toEqual([WAYPOINT_EVERY + 3, 2 * WAYPOINT_EVERY]);
});
