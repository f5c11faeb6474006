import { describe, expect, it } from "vitest";
import { type Commit, commitHash, commitId } from "../../domain/kernel/chain.ts";
import { type Decider, refuse } from "../../domain/kernel/decider.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { Conflict, type Decision } from "../../engine/log/event-store.ts";
import { type Because, executor, following } from "../../engine/log/execute.ts";
import { groundOn, type Held } from "../support/ground.ts";

type Counted = { type: "Counted"; v: 1; body: { by: number; to: number } };
type Command = { add: number };
const STREAM = "deployment/counter";

/** Counts up to ten. `looked`: the states that it decided on. */
const counter = () => {
  const looked: number[] = [];
  const decider: Decider<Command, { total: number }, Counted> = {
    shape: 1,
    initial: () => ({ total: 0 }),
    evolve(state, event) {
      state.total += event.body.by;
      return state;
    },
    decide({ add }, { total }) {
      looked.push(total);
      if (total + add > 10) return refuse("counter.full", "it counts to ten");
      return add === 0 ? [] : [{ type: "Counted", v: 1, body: { by: add, to: total + add } }];
    },
  };
  return { decider, looked };
};

/** A store in memory. `before` runs before an append: somebody else may be faster. */
const shelf = (before: (tries: number) => void = () => {}) => {
  const commits: Commit[] = [];
  const append = (version: number, { events, cause, correlation, actor, now }: Decision): Commit => {
    if (commits.length >= version) throw new Conflict(`there is a version ${version}`);
    const prev = commits.at(-1)?.hash ?? "";
    const id = commitId(sha256, STREAM, cause);
    const at = new Date(now).toISOString();
    const commit = {
      stream: STREAM,
      version,
      id,
      body: JSON.stringify(events),
      cause,
      correlation,
      actor,
      origin: "",
      at,
      position: "0",
      prev,
    };
    commits.push({ ...commit, hash: commitHash(sha256, commit) });
    return commits.at(-1) as Commit;
  };
  let tries = 0;
  const held: Held = {
    commits: async () => [...commits],
    append: async (_, version, decision) => {
      before(++tries);
      return append(version + 1, decision);
    },
  };
  const elsewhere = (by: number) =>
    append(commits.length + 1, {
      events: [{ type: "Counted", v: 1, body: { by } }],
      cause: `other_${commits.length}`,
      correlation: "c",
      actor: "grace",
      now: 0,
    });
  return { held, commits, elsewhere, tries: () => tries };
};

const because = (cause: string): Because => ({ cause, correlation: cause, actor: "ada" });
const clockOf = (slept: number[] = []) => ({ now: () => 1_000, sleep: async (ms: number) => void slept.push(ms), random: () => 0.5 });
const executing = (shelved = shelf(), slept: number[] = []) => {
  const { decider, looked } = counter();
  const { execute, load } = executor(groundOn(shelved.held, clockOf(slept)), "deployment", decider, (stored) => stored as Counted);
  return { ...shelved, looked, load, execute: (add: number, cause: string) => execute(STREAM, { add }, because(cause)) };
};

describe("a command", () => {
  it("is decided on what the stream says, and appended", async () => {
    const { execute, load } = executing();
    await execute(3, "a");
    const { events, state, version } = await execute(4, "b");
    expect(events).toMatchObject([{ type: "Counted", version: 2, cause: "b", actor: "ada", body: { by: 4, to: 7 } }]);
    expect(state).toEqual({ total: 7 });
    expect(version).toBe(2);
    expect(await load(STREAM)).toMatchObject({ state: { total: 7 }, version: 2 });
  });
  it("that is refused writes nothing and says why", async () => {
    const { execute, commits } = executing();
    await execute(8, "a");
    expect(await execute(3, "b")).toMatchObject({ events: [], refusal: { refused: "counter.full" }, state: { total: 8 }, version: 1 });
    expect(commits).toHaveLength(1);
  });
  it("whose event could not be read again writes nothing, and says so", async () => {
    const { held, commits } = shelf();
    const { execute } = executor(groundOn(held, clockOf()), "deployment", counter().decider, () => {
      throw new Error("the event Counted does not have its shape");
    });
    await expect(execute(STREAM, { add: 1 }, because("a"))).rejects.toThrow("does not have its shape");
    expect(commits).toEqual([]);
  });
  it("to what is already so writes nothing", async () => {
    const { execute, commits, tries } = executing();
    expect(await execute(0, "a")).toEqual({ events: [], state: { total: 0 }, version: 0 });
    expect(commits).toEqual([]);
    expect(tries()).toBe(0);
  });
});

describe("a cause that was handled", () => {
  it("gives what it wrote then, and is not decided again", async () => {
    const { execute, commits, looked } = executing();
    const first = await execute(3, "a");
    await execute(2, "b");
    const again = await execute(3, "a");
    expect(again).toEqual({ events: first.events, state: { total: 5 }, version: 2 });
    expect(commits).toHaveLength(2);
    expect(looked).toEqual([0, 3]);
  });
  it("is told apart by its suffix, where one event leads to two commands", async () => {
    const event = { id: "e.0", position: "000000000000007", correlation: "cmd_1" } as Recorded;
    expect(following(event, "shiplog advance")).toEqual({
      cause: "e.0",
      causePosition: "000000000000007",
      correlation: "cmd_1",
      actor: "shiplog advance",
    });
    const { execute, commits } = executing();
    await execute(1, following(event, "x", "/one").cause);
    await execute(1, following(event, "x", "/two").cause);
    await execute(1, following(event, "x", "/one").cause);
    expect(commits).toHaveLength(2);
  });
});

describe("a command that met a conflict", () => {
  it("is decided again on what is there now", async () => {
    const shelved = shelf((tries) => {
      if (tries === 1) shelved.elsewhere(5);
    });
    const { execute, looked, commits } = executing(shelved);
    const { events, state } = await execute(4, "a");
    expect(looked).toEqual([0, 5]);
    expect(events).toMatchObject([{ version: 2, body: { by: 4, to: 9 } }]);
    expect(state).toEqual({ total: 9 });
    expect(commits).toHaveLength(2);
  });
  it("may be refused then", async () => {
    const shelved = shelf((tries) => {
      if (tries === 1) shelved.elsewhere(8);
    });
    const { execute, commits } = executing(shelved);
    expect(await execute(4, "a")).toMatchObject({ events: [], refusal: { refused: "counter.full" } });
    expect(commits).toHaveLength(1);
  });
  it("waits a jittered while that grows, and gives up with the conflict", async () => {
    const slept: number[] = [];
    const shelved = shelf(() => void shelved.elsewhere(0));
    const { execute, tries } = executing(shelved, slept);
    await expect(execute(1, "a")).rejects.toThrow(Conflict);
    expect(slept.length).toBe(tries() - 1);
    expect(slept.slice(0, 3)).toEqual([5, 10, 20]);
    expect(Math.max(...slept)).toBe(160);
  });
  it("is not tried again after anything else", async () => {
    const shelved = shelf(() => {
      throw new Error("the table is gone");
    });
    const { execute, tries } = executing(shelved);
    await expect(execute(1, "a")).rejects.toThrow("the table is gone");
    expect(tries()).toBe(1);
  });
});

describe("a cause that another worker handled at the same moment", () => {
  it("has the state of what was written, not of what was decided here", async () => {
    const { held } = shelf();
    // the put finds the same cause at its place: the store gives what is there
    const taken: Held = {
      ...held,
      append: (stream, version, decision) =>
        held.append(stream, version, { ...decision, events: [{ type: "Counted", v: 1, body: { by: 2, to: 2 } }] }),
    };
    const { decider } = counter();
    const { execute } = executor(groundOn(taken, clockOf()), "deployment", decider, (stored) => stored as Counted);
    const { events, state } = await execute(STREAM, { add: 3 }, because("a"));
    expect(events).toMatchObject([{ body: { by: 2 } }]);
    expect(state).toEqual({ total: 2 });
  });
});
