import type { DynamoDBStreamEvent } from "aws-lambda";
import { expect, it } from "vitest";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { relay } from "../../engine/log/relay-commit.ts";
import { wire } from "../../services/relay/handler.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

/** A stream of three commits, a note of how far it was relayed, and a bus that keeps what comes. */
const stage = async (room: VerbRoom, relayed: number) => {
  const { queue, began, built, stream } = steps(1);
  await room.deployment(1, queue(1), began, built);
  const notes = new Map([[stream, relayed]]);
  const bus: string[] = [];
  const unsealed = new Map<string, number>();
  return {
    stream,
    bus,
    note: () => notes.get(stream),
    unsealed: () => unsealed.get(stream),
    commits: await room.commits(stream),
    ports: {
      read: room.store.read,
      publish: async (events: readonly Recorded[]) => void bus.push(...events.map(({ type }) => type)),
      relayed: async (of: string) => notes.get(of) ?? 0,
      setRelayed: async (of: string, version: number) => void notes.set(of, version),
      noteUnsealed: async (of: string, version: number) => void unsealed.set(of, version),
    },
  };
};

const inRoom = async (act: (room: VerbRoom) => Promise<void>): Promise<void> => {
  const room = await startVerbRoom();
  try {
    await act(room);
  } finally {
    await room.close();
  }
};

it("puts a commit on the bus and notes how far it came, once", () =>
  inRoom(async (room) => {
    const { ports, bus, commits, note } = await stage(room, 0);
    for (const _ of ["a record", "the record again"]) await relay(ports)(commits[0] as Commit);
    expect([bus, note()]).toEqual([["DeploymentQueued"], 1]);
  }));

it("takes what was lost before a commit along with it, in order", () =>
  inRoom(async (room) => {
    const { ports, bus, commits, note, unsealed } = await stage(room, 0);
    await relay(ports)(commits[2] as Commit);
    expect([bus, note(), unsealed()]).toEqual([["DeploymentQueued", "BuildStarted", "BuildSucceeded"], 3, 3]);
  }));

it("notes as unsealed what is behind the commit as well, where that goes with it", () =>
  inRoom(async (room) => {
    const { ports, commits, note, unsealed } = await stage(room, 0);
    await relay(ports)(commits[1] as Commit);
    expect([note(), unsealed()]).toEqual([3, 3]);
  }));

it("notes nothing that is not on the bus", () =>
  inRoom(async (room) => {
    const { ports, commits, note } = await stage(room, 1);
    const publish = () => Promise.reject(new Error("the bus was away"));
    await expect(relay({ ...ports, publish })(commits[1] as Commit)).rejects.toThrow("the bus was away");
    expect(note()).toBe(1);
  }));

it("asks for a batch again from the first record that failed, and has what came before", () =>
  inRoom(async (room) => {
    const { ports, bus, commits, note } = await stage(room, 0);
    const itemOf = itemCodec("events");
    let published = 0;
    const publish = async (events: readonly Recorded[]) => {
      if (++published === 2) throw new Error("the bus was away");
      await ports.publish(events);
    };
    const lines: object[] = [];
    const handler = wire({
      store: room.store,
      bus: { publish },
      rows: ports,
      log: (line: object) => lines.push(line),
    } as unknown as Parameters<typeof wire>[0]);
    const Records = commits.map((commit, index) => ({
      eventName: "INSERT",
      dynamodb: { SequenceNumber: `number ${index + 1}`, NewImage: itemOf(commit) },
    }));
    // the name of a day is no commit
    Records.unshift({
      eventName: "INSERT",
      dynamodb: { SequenceNumber: "number 0", NewImage: { pk: { S: "log" }, sk: { S: "2026-11-23" } } },
    });
    expect(await handler({ Records } as unknown as DynamoDBStreamEvent)).toEqual({
      batchItemFailures: [{ itemIdentifier: "number 2" }],
    });
    expect([bus, note()]).toEqual([["DeploymentQueued"], 1]);
    expect(lines).toMatchObject([{ level: "error", sequence: "number 2" }]);
  }));
