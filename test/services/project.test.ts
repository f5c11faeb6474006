import { expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { type Kept, keepRow } from "../../engine/views/keep-row.ts";
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
