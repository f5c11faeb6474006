import { describe, expect, it } from "vitest";
import type { DeploymentCommand } from "../../domain/deployment/commands.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import { MAX_REACHED } from "../../domain/environment/ended-release.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Route } from "../../domain/environment/route.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { AliasState } from "../../engine/aws/functions.ts";
import { reconcileEnvironment } from "../../services/reconcile/environments.ts";
import { backIn } from "../support/read-back.ts";
import { at, deploymentId, functions, release, request } from "../support/samples.ts";

const STREAM = "environment/web/production";
/** Longer than any deadline. */
const LATER_MS = 2 * 3_600_000;
const [revalidation, server] = functions(1).map(({ name }) => name) as [string, string];

const admitted = (n: number): EnvironmentEvent => ({
  type: "DeploymentAdmitted",
  v: 1,
  body: { deploymentId: deploymentId(n), sequence: n, request: request(n), previous: null },
});
const flip = (n: number): EnvironmentEvent => ({
  type: "FlipRequested",
  v: 1,
  body: { sequence: n, deploymentId: deploymentId(n), release: release(n), reason: "deploy", actor: "ada", previous: null },
});
const flipped = (n: number, name: string): EnvironmentEvent => ({
  type: "AliasFlipped",
  v: 1,
  body: { sequence: n, deploymentId: deploymentId(n), function: name, from: "0", to: String(n), revisionId: "r" },
});
const live = (n: number): EnvironmentEvent[] => [
  flipped(n, revalidation),
  flipped(n, server),
  {
    type: "ReleaseWentLive",
    v: 1,
    body: { sequence: n, deploymentId: deploymentId(n), release: release(n), reason: "deploy", actor: "ada", previous: null },
  },
];
const failed = (n: number): EnvironmentEvent => ({
  type: "FlipFailed",
  v: 1,
  body: { sequence: n, deploymentId: deploymentId(n), flip: "deploy", reason: "it took too long" },
});
const alias = (version: number, sequence = version, weights?: AliasState["weights"]): AliasState => ({
  version: String(version),
  description: `seq=${sequence} dep=${deploymentId(sequence)}`,
  revisionId: "r9",
  weights,
});

/** One look at an environment with this past, these aliases and a row that has read so much of it. */
const look = async (
  past: readonly EnvironmentEvent[],
  aliases: Record<string, AliasState>,
  projected = past.length,
  {
    afterMs = LATER_MS,
    isProjected = true as boolean | ((id: string) => Promise<boolean>),
    /** what was read of the past */
    reads = [] as string[],
    /** types of the events that were read back */
    seen = [] as string[],
    hasBegun = true,
    /** the row of what is live in the edge's table; null where the edge looks up none */
    row = null as { readonly text: string | undefined } | null,
    /** when that was looked at last */
    looked = undefined as number | undefined,
    undeclared = [] as readonly string[],
    settled = new Map<string, string>(),
    /** of the server, by alias; `undefined` where somebody deleted it */
    urls = { "r-1": "https://abc.lambda-url.eu-west-1.on.aws/", "r-2": "https://s2.aws/" } as Readonly<Record<string, string | undefined>>,
  } = {},
) => {
  const commands: ((EnvironmentCommand | DeploymentCommand) & { cause: string })[] = [];
  const published: string[] = [];
  const recorded = past.map(
    (event, n) => ({ ...event, id: `${n}.0`, stream: STREAM, version: n + 1, index: 0, at: at(n) }) as Recorded<EnvironmentEvent>,
  );
  await reconcileEnvironment({
    aggregates: {
      environment: {
        load: async () => ({ state: fold(environment, past), version: past.length }),
        execute: async (_site, _name, command, { cause }) => {
          commands.push({ ...command, cause });
          return { events: [], state: undefined as never, version: 0 };
        },
      },
      deployment: {
        load: () => Promise.reject(new Error("it reads the events")),
        execute: async (_id, command, { cause }) => {
          commands.push({ ...command, cause });
          return { events: [], state: undefined as never, version: 0 };
        },
      },
    },
    events: async (stream, after = 0) => {
      reads.push(`${stream} after ${after}`);
      return stream !== STREAM && !hasBegun ? [] : recorded.slice(after);
    },
    back: (stream, before) => {
      reads.push(`${stream} back`);
      return noting(seen, backIn(async () => recorded)(stream, before));
    },
    settled: async (what) => settled.get(what),
    noteSettled: async (what, value) => void settled.set(what, value),
    sentAgain: async (what) => (what.startsWith("edge/") ? looked : undefined),
    noteSentAgain: async () => undefined,
    publish: async (events) => void published.push(...events.map(({ type }) => type)),
    alias: async (name) => aliases[name],
    isDeclared: (_site, _environment, fn) => !undeclared.includes(fn),
    isProjected: typeof isProjected === "boolean" ? async () => isProjected : isProjected,
    isProjectedTo: async (version) => projected >= version,
    store: () => (row === null ? undefined : { table: "table", distribution: "E1" }),
    row: async () => row?.text,
    addresses: { find: async ({ alias }) => ({ version: "1", url: urls[alias] }) },
    now: () => Date.parse(at()) + afterMs,
  })("web", "production");
  return { commands, published };
};

async function* noting(seen: string[], events: AsyncIterable<Recorded>): AsyncGenerator<Recorded> {
  for await (const event of events) {
    seen.push(event.type);
    yield event;
  }
}

const routeOf = (n: number) => ({
  v: 1 as const,
  sequence: n,
  address: n,
  release: deploymentId(n),
  host: ".aws",
  server: `s${n}`,
  image: `s${n}`,
  files: { set: "0".repeat(16), rows: 0 },
});
const switched = (n: number, left: readonly number[]): EnvironmentEvent => ({
  type: "EdgeSwitched",
  v: 1,
  body: {
    sequence: n,
    deploymentId: deploymentId(n),
    distribution: "E1",
    route: routeOf(n),
    ended: left.map((one) => ({ release: deploymentId(one), until: at(3_600) })),
  },
});

describe("the reconciler and releases that were live before", () => {
  const HOUR_MS = 3_600_000;
  const past = [admitted(1), flip(1), switched(1, []), ...live(1), admitted(2), flip(2), switched(2, [1]), ...live(2)];
  const aliases = { [revalidation]: alias(2), [server]: alias(2) };
  const row = { text: JSON.stringify(routeOf(2)) };
  const body = { release: deploymentId(1), deploymentId: deploymentId(1), address: 1 };
  const ended: EnvironmentEvent = { type: "ReleaseEnded", v: 1, body: { ...body, reason: "window" } };
  const endedAfterMs = past.length * 1_000;
  const looks = (events: readonly EnvironmentEvent[], afterMs: number) => look(events, aliases, events.length, { afterMs, row });

  it("ends one when its window is over, and not before", async () => {
    expect((await looks(past, HOUR_MS - 1)).commands).toEqual([]);
    expect((await looks(past, HOUR_MS)).commands).toEqual([
      {
        type: "EndRelease",
        release: deploymentId(1),
        reason: "window",
        at: at(3_600),
        cause: `reconcile/window/${deploymentId(1)}/${at(3_600)}`,
      },
    ]);
  });
  it("ends one before its time where newer ones leave it no room", async () => {
    const crowd = Array.from({ length: MAX_REACHED + 2 }, (_, n) => n + 1).flatMap((n) => [
      admitted(n),
      flip(n),
      switched(n, n === 1 ? [] : [n - 1]),
      ...live(n),
    ]);
    const last = MAX_REACHED + 2;
    const at = { [revalidation]: alias(last), [server]: alias(last) };
    const { commands } = await look(crowd, at, crowd.length, { afterMs: 400_000, row: { text: JSON.stringify(routeOf(last)) } });
    expect(commands.filter(({ type }) => type === "EndRelease")).toMatchObject([{ release: deploymentId(1) }]);
  });
  it("says again that it ended once no edge can have its row any more, until its address is taken away", async () => {
    expect(await looks([...past, ended], endedAfterMs + 10 * 60_000)).toEqual({ commands: [], published: [] });
    expect(await looks([...past, ended], endedAfterMs + 10 * 60_000 + 1)).toEqual({ commands: [], published: ["ReleaseEnded"] });
    const removed: EnvironmentEvent = { type: "AddressRemoved", v: 1, body: { ...body, functions: [server] } };
    expect(await looks([...past, ended, removed], LATER_MS)).toEqual({ commands: [], published: [] });
    const drifted: EnvironmentEvent = { type: "EdgeDriftDetected", v: 1, body: { distribution: "E1", sequence: 2, found: "by hand" } };
    expect((await looks([...past, ended, drifted], LATER_MS)).published).toEqual([]);
  });
});

describe("the reconciler", () => {
  const past = [admitted(1), flip(1), ...live(1)];
  const aliases = { [revalidation]: alias(1), [server]: alias(1) };

  it("leaves an environment alone in which everything is where it belongs", async () => {
    expect(await look(past, aliases)).toEqual({ commands: [], published: [] });
  });
  it("sends the newest event again where the row never heard of it", async () => {
    const { published } = await look(past, aliases, past.length - 1);
    expect(published).toEqual(["ReleaseWentLive"]);
  });
  it("writes a move down whose mover died right after it, as the mover would have", async () => {
    const { commands } = await look([...past, admitted(2), flip(2), flipped(2, revalidation), failed(2)], {
      [revalidation]: alias(2),
      [server]: alias(2),
    });
    expect(commands[0]).toMatchObject({
      type: "RecordAliasFlipped",
      function: server,
      sequence: 2,
      from: "1",
      to: "2",
      cause: `flip/2/${server}`,
    });
  });
  it("asks for what is live to be put back where a flip that was given up moved an alias late", async () => {
    const { commands } = await look([...past, admitted(2), flip(2), failed(2)], { ...aliases, [revalidation]: alias(2) });
    expect(commands.map(({ type }) => type)).toEqual(["RecordAliasFlipped", "RestoreLive"]);
    expect(commands[1]).toMatchObject({ sequence: 2, cause: "reconcile/restore/2" });
  });
  it("asks for it once more after what a hand had done to an alias is undone: it may have stood in the way", async () => {
    const drifted: EnvironmentEvent[] = [
      { type: "AliasDriftDetected", v: 1, body: { function: revalidation, expected: null, found: null } },
      { type: "AliasDriftEnded", v: 1, body: { function: revalidation, version: "1", sequence: 1 } },
    ];
    const { commands } = await look([...past, admitted(2), flip(2), flipped(2, server), failed(2), ...drifted], {
      ...aliases,
      [server]: alias(2),
    });
    expect(commands).toMatchObject([{ type: "RestoreLive", sequence: 2, cause: "reconcile/restore/2/v11" }]);
  });
  it("does not try for ever what a restore has left behind that failed itself", async () => {
    const restored = [
      ...past,
      { ...flip(2), body: { ...flip(2).body, reason: "restore" } } as EnvironmentEvent,
      flipped(2, server),
      failed(2),
    ];
    expect((await look(restored, { ...aliases, [server]: alias(2) })).commands).toEqual([]);
    // and what was before it is not read
    const reads: string[] = [];
    const seen: string[] = [];
    await look(restored, { ...aliases, [server]: alias(2) }, undefined, { reads, seen });
    expect([reads, seen.includes("DeploymentAdmitted")]).toEqual([[`${STREAM} back`], false]);
    // beside it, what a deployment left
    const both = [...restored, admitted(3), flip(3), flipped(3, revalidation), failed(3)];
    const { commands } = await look(both, { [revalidation]: alias(3), [server]: alias(2) });
    expect(commands).toMatchObject([{ type: "RestoreLive", sequence: 3 }]);
  });
  it("gives the same drift another cause each time that it comes", async () => {
    const drifted: EnvironmentEvent[] = [
      { type: "AliasDriftDetected", v: 1, body: { function: server, expected: null, found: null } },
      { type: "AliasDriftEnded", v: 1, body: { function: server, version: "1", sequence: 1 } },
    ];
    const causeOf = async (events: readonly EnvironmentEvent[]) =>
      (await look(events, { ...aliases, [server]: alias(7) })).commands[0]?.cause;
    expect(await causeOf(past)).toBe(await causeOf(past));
    expect(await causeOf([...past, ...drifted])).not.toBe(await causeOf(past));
  });
  it("takes a function that is gone for drift, but not one that is declared no more", async () => {
    const gone = { [server]: alias(1) };
    expect((await look(past, gone)).commands).toMatchObject([{ type: "RecordDrift", function: revalidation, found: null }]);
    expect((await look(past, gone, undefined, { undeclared: [revalidation] })).commands).toEqual([]);
  });
  it("knows a move from a hand's: a version that no flip brought is drift", async () => {
    const { commands } = await look([...past, admitted(2), flip(2), failed(2)], { ...aliases, [server]: alias(7, 2) });
    expect(commands).toMatchObject([{ type: "RecordDrift", function: server, found: { version: "7" } }]);
  });
  it.each([
    ["a sequence above the highest ever given", alias(1, 1_000)],
    ["a part of the requests that goes elsewhere", alias(1, 1, { "0": 0.1 })],
    ["another deployment's name", { ...alias(1), description: `seq=1 dep=${deploymentId(7)}` }],
  ])("sees by itself what a hand wrote on an alias: %s", async (_, found) => {
    const { commands } = await look(past, { ...aliases, [server]: found });
    const { version, description, weights } = found;
    expect(commands).toMatchObject([
      { type: "RecordDrift", function: server, expected: { sequence: 1 }, found: { version, description, ...(weights && { weights }) } },
    ]);
  });
  it("sees a sequence on an alias that no flip has moved yet", async () => {
    const { commands } = await look([admitted(1), flip(1), failed(1)], {
      [revalidation]: { version: "1", description: "seq=0 dep=none", revisionId: "r1" },
      [server]: alias(1, 40),
    });
    expect(commands).toMatchObject([{ type: "RecordDrift", function: server, expected: null }]);
  });
  it("writes moves down before it ends a flip that took too long", async () => {
    const { commands } = await look([...past, admitted(2), flip(2)], { ...aliases, [revalidation]: alias(2) });
    expect(commands.map(({ type }) => type)).toEqual(["RecordAliasFlipped", "RecordFlipFailed"]);
    expect(commands[1]).toMatchObject({ sequence: 2, moved: true });
  });
  it.each([
    [1, []],
    [3, ["FlipRequested"]],
    [99, ["FlipRequested"]],
    [102, []],
  ])("sends a flip again that has not ended, after %i minutes", async (minutes, expected) => {
    const { published } = await look([...past, admitted(2), flip(2)], aliases, undefined, { afterMs: minutes * 60_000 });
    expect(published).toEqual(expected);
  });
  it("begins anew what was admitted and of which nobody heard, and leaves what has a row to that", async () => {
    const waits = [...past, admitted(2)];
    expect((await look(waits, aliases)).published).toEqual([]);
    // its stream has begun (here it is that of the environment): everything of it is sent
    expect((await look(waits, aliases, undefined, { isProjected: false })).published).toEqual(waits.map(({ type }) => type));
    expect((await look(waits, aliases, undefined, { isProjected: false, afterMs: 60_000 })).published).toEqual([]);
    const untold = { isProjected: false, hasBegun: false };
    expect(await look(waits, aliases, undefined, untold)).toEqual({ commands: [], published: ["DeploymentAdmitted"] });
  });
  it("ends what was admitted a day ago and never begun, where people see it", async () => {
    const waits = [...past, admitted(2)];
    const untold = { isProjected: false, hasBegun: false, afterMs: 25 * 60 * 60_000 };
    const { commands, published } = await look(waits, aliases, undefined, untold);
    expect(published).toEqual([]);
    expect(commands).toMatchObject([{ type: "DropRequest", sequence: 2, request: request(2), cause: `${waits.length - 1}.0/drop` }]);
    // where it has begun it is the row that is missing
    expect((await look(waits, aliases, undefined, { ...untold, hasBegun: true })).commands).toEqual([]);
    expect((await look(waits, aliases, undefined, { ...untold, isProjected: true })).commands).toEqual([]);
  });
  it("asks for the row of a deployment until there is one, and then no more", async () => {
    const waits = [admitted(1), admitted(2)];
    const settled = new Map<string, string>();
    const asked: string[] = [];
    const looks = async (has: (id: string) => boolean) => {
      const isProjected = async (id: string): Promise<boolean> => {
        asked.push(id);
        return has(id);
      };
      await look(waits, {}, undefined, { isProjected, settled, afterMs: 60_000 });
      return asked.splice(0);
    };
    expect(await looks((id) => id === deploymentId(1))).toEqual([deploymentId(1), deploymentId(2)]);
    expect(await looks(() => true)).toEqual([deploymentId(2)]);
    expect(await looks(() => true)).toEqual([]);
    expect([...settled]).toEqual([[`begun/${STREAM}`, "2"]]);
    // of a log that was restored to an earlier moment since
    settled.set(`begun/${STREAM}`, "500");
    expect(await looks((id) => id === deploymentId(1))).toEqual([deploymentId(1), deploymentId(2)]);
    expect([...settled]).toEqual([[`begun/${STREAM}`, "1"]]);
  });
  it("reads nothing of an environment's past where nothing is late", async () => {
    const reads: string[] = [];
    const rest = [...past, admitted(2), flip(2), ...live(2)];
    const { commands } = await look(rest, { [revalidation]: alias(2), [server]: alias(2) }, undefined, { reads });
    expect([commands, reads]).toEqual([[], []]);
  });
  it("ends a lock when its time is over, and not before", async () => {
    const locked: EnvironmentEvent = { type: "EnvironmentLocked", v: 1, body: { holder: "grace", reason: "a sale", until: at(600) } };
    expect((await look([...past, locked], aliases, undefined, { afterMs: 599_000 })).commands).toEqual([]);
    const { commands } = await look([...past, locked], aliases, undefined, { afterMs: 600_000 });
    expect(commands).toMatchObject([{ type: "ExpireLock", at: at(600), cause: `reconcile/lock/${at(600)}` }]);
  });
});

describe("the edge's row of what is live", () => {
  const route = (n: number): Route => ({
    v: 1,
    sequence: n,
    address: n,
    release: deploymentId(n),
    host: ".lambda-url.eu-west-1.on.aws",
    server: "abc",
    image: "abc",
    files: { set: "0123456789abcdef", rows: 0, paths: "" },
  });
  const switched = (n: number): EnvironmentEvent => ({
    type: "EdgeSwitched",
    v: 1,
    body: { sequence: n, deploymentId: deploymentId(n), distribution: "E1", route: route(n), ended: [] },
  });
  const drift = (found: string | null): EnvironmentEvent => ({
    type: "EdgeDriftDetected",
    v: 1,
    body: { distribution: "E1", sequence: 1, found },
  });
  const text = (n: number): string => JSON.stringify(route(n));
  const unswitched = [admitted(1), flip(1), ...live(1)];
  const past = [...unswitched, switched(1)];
  const aliases = { [revalidation]: alias(1), [server]: alias(1) };
  const seen = async (events: readonly EnvironmentEvent[], row: string | undefined, looked?: number) => {
    const { commands } = await look(events, aliases, undefined, { row: { text: row }, ...(looked !== undefined && { looked }) });
    return commands.map(({ cause: _, ...command }) => command);
  };

  it("is written at once where the environment has another distribution", async () => {
    const moved = [...unswitched, { ...switched(1), body: { ...switched(1).body, distribution: "E0" } } as EnvironmentEvent];
    expect(await seen(moved, undefined, Date.parse(at()) + LATER_MS)).toEqual([{ type: "RestoreEdge", sequence: 1, lost: "row" }]);
  });
  it("is left alone where it says what was written last", async () => {
    expect(await seen(past, text(1))).toEqual([]);
  });
  it("is written by bringing live once more what is, where it was lost or never written", async () => {
    expect(await seen(past, undefined)).toEqual([
      { type: "RecordEdgeDrift", distribution: "E1", sequence: 1, found: null },
      { type: "RestoreEdge", sequence: 1, lost: "row" },
    ]);
    expect(await seen(unswitched, undefined)).toEqual([{ type: "RestoreEdge", sequence: 1, lost: "row" }]);
  });
  it("is shown and left alone where a hand wrote it", async () => {
    for (const hand of ["by hand", JSON.stringify({ ...route(1), server: "xyz" }), text(7)])
      expect(await seen(past, hand)).toEqual([{ type: "RecordEdgeDrift", distribution: "E1", sequence: 1, found: hand }]);
  });
  it("is put right where a flip wrote it that had been given up", async () => {
    expect(await seen([...past, admitted(2), flip(2), failed(2)], text(2))).toEqual([{ type: "RestoreEdge", sequence: 1, lost: "row" }]);
  });
  it("is restored again where that failed, after an hour, then ever later, and in the end once a day", async () => {
    const failedOnce = (n: number): EnvironmentEvent[] => [
      { ...flip(n), body: { ...flip(n).body, reason: "restore" } } as EnvironmentEvent,
      { ...failed(n), body: { ...failed(n).body, flip: "restore" } } as EnvironmentEvent,
    ];
    /** hours after the last of so many failures, a second less and exactly */
    const around = async (begun: readonly EnvironmentEvent[], failures: number, hours: number) => {
      const events = [...begun, ...Array.from({ length: failures }, (_, n) => failedOnce(n + 2)).flat()];
      const since = (events.length - 1) * 1_000 + hours * 3_600_000;
      const types = async (afterMs: number) =>
        (await look(events, aliases, undefined, { row: { text: undefined }, afterMs })).commands.map(({ type }) => type);
      return [await types(since - 1), await types(since)];
    };
    for (const [failures, hours] of [
      [1, 1],
      [2, 2],
      [3, 4],
      [6, 24],
      [50, 24],
    ] as const) {
      expect(await around(past, failures, hours)).toEqual([["RecordEdgeDrift"], ["RecordEdgeDrift", "RestoreEdge"]]);
      expect(await around(unswitched, failures, hours)).toEqual([[], ["RestoreEdge"]]);
    }
  });
  it("is restored at once where a restore failed before what is live went live", async () => {
    const restore = [
      { ...flip(2), body: { ...flip(2).body, reason: "restore" } } as EnvironmentEvent,
      { ...failed(2), body: { ...failed(2).body, flip: "restore" } } as EnvironmentEvent,
    ];
    const again = [...past, ...restore, admitted(3), flip(3), switched(3), ...live(3)];
    const now = { [revalidation]: alias(3), [server]: alias(3) };
    const { commands } = await look(again, now, undefined, { row: { text: undefined }, afterMs: again.length * 1_000 });
    expect(commands.map(({ type }) => type)).toEqual(["RecordEdgeDrift", "RestoreEdge"]);
  });
  it("is restored with another cause each time that it is lost", async () => {
    const causesOf = async (events: readonly EnvironmentEvent[]) =>
      (await look(events, aliases, undefined, { row: { text: undefined } })).commands.map(({ cause }) => cause);
    expect(await causesOf(past)).toEqual(await causesOf(past));
    expect(await causesOf([...past, admitted(2)])).not.toEqual(await causesOf(past));
  });
  it("is restored again whatever a clock that was ahead has dated", async () => {
    const restored = [
      ...past,
      { ...flip(2), body: { ...flip(2).body, reason: "restore" } } as EnvironmentEvent,
      { ...failed(2), body: { ...failed(2).body, flip: "restore" } } as EnvironmentEvent,
    ];
    const { commands } = await look(restored, aliases, undefined, { row: { text: undefined }, afterMs: -24 * 3_600_000 });
    expect(commands.map(({ type }) => type)).toEqual(["RecordEdgeDrift", "RestoreEdge"]);
  });
  it("leads somewhere: where a hand deleted an address of what is live, or made it with another URL, that is made again", async () => {
    const found = async (url: string | undefined, text = JSON.stringify(route(1))) =>
      (await look(past, aliases, undefined, { row: { text }, urls: { "r-1": url } })).commands.map(({ cause: _, ...command }) => command);
    const restore = { type: "RestoreEdge", sequence: 1, lost: "address" };
    expect(await found("https://abc.lambda-url.eu-west-1.on.aws/")).toEqual([]);
    expect(await found(undefined)).toEqual([restore]);
    expect(await found("https://xyz.lambda-url.eu-west-1.on.aws/")).toEqual([restore]);
    // what a hand wrote leads where that hand wants
    expect(await found(undefined, "by hand")).toMatchObject([{ type: "RecordEdgeDrift" }]);
  });
  it("is said to be right again", async () => {
    expect(await seen([...past, drift("by hand")], text(1))).toEqual([{ type: "RecordEdgeDriftEnded", distribution: "E1", sequence: 1 }]);
  });
  it("is looked at once an hour, whatever a clock said before", async () => {
    const now = Date.parse(at()) + LATER_MS;
    expect(await seen(past, undefined, now - 59 * 60_000)).toEqual([]);
    expect(await seen(past, undefined, now - 60 * 60_000)).toHaveLength(2);
    expect(await seen(past, undefined, now + 1)).toHaveLength(2);
  });
});
