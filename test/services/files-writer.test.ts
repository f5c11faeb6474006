import { describe, expect, it } from "vitest";
import { asOnlyWriter, FilesBusy } from "../../services/flip-alias/files-writer.ts";
import type { Writer } from "../../services/flip-alias/public-files.ts";

const LEASE = "files/web/production";

/** Leases in memory, and a clock that is moved by who waits. */
const room = () => {
  const held = new Map<string, { holder: string; until: number }>();
  let now = 0;
  let chance = 0;
  const ports = {
    leases: {
      takeLease: async (name: string, holder: string, asked: number, until: number) => {
        const lease = held.get(name);
        if (lease !== undefined && lease.until >= asked && lease.holder !== holder) return false;
        held.set(name, { holder, until });
        return true;
      },
      giveLease: async (name: string, holder: string) => void (held.get(name)?.holder === holder && held.delete(name)),
    },
    clock: {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
      random: () => (chance += 0.001),
    },
  };
  const pass = (seconds: number): void => {
    now += seconds * 1_000;
  };
  /** Writes by a writer that goes on for as long as its turn is its own. */
  const write = <T>(act: (writer: Writer) => Promise<T>) =>
    asOnlyWriter(ports, "web/production", (turn) => act(turn(async (isOwn) => isOwn)));
  const rivalTakes = () => ports.leases.takeLease(LEASE, "rival", now, now + 1);
  return { held, pass, write, rivalTakes };
};

describe("the only writer of an environment's files", () => {
  it("stays the only one for as long as it says that it is there", async () => {
    const { pass, write, held, rivalTakes } = room();
    await write(async ({ proceed }) => {
      for (let said = 0; said < 3; said++) {
        pass(8);
        expect(await proceed()).toBe(true);
        pass(3);
        expect(await rivalTakes()).toBe(false);
      }
    });
    expect(held.size).toBe(0);
  });
  it("is succeeded where it stood still for longer, and learns so", async () => {
    const { pass, write } = room();
    await write(async ({ proceed, isSure }) => {
      await proceed();
      expect(isSure()).toBe(true);
      pass(11);
      expect(isSure()).toBe(false);
      expect(await write(async () => "in")).toBe("in");
      await write(async () => {
        expect(await proceed()).toBe(false);
        expect(isSure()).toBe(false);
      });
    });
  });
  it("is waited for, and not for ever", async () => {
    const { held, write } = room();
    held.set(LEASE, { holder: "rival", until: 30_000 });
    expect(await write(async () => "in")).toBe("in");
    held.set(LEASE, { holder: "rival", until: Number.POSITIVE_INFINITY });
    await expect(write(async () => "in")).rejects.toThrow(FilesBusy);
  });
});
