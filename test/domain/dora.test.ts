import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GitCommit } from "../../domain/deployment/shapes.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { commitsNeeded, dora, median, type Period, percentile, undecided } from "../../domain/projections/dora.ts";
import { sayFrequency, sayLeftOut, sayShare } from "../../domain/projections/dora-figures.ts";
import { asked } from "../support/given.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const by = { actor: "ada", at: at() };
const DAY_MS = 86_400_000;
const shaOf = (n: number): string => n.toString(16).padStart(7, "0");
/** The n-th deployment is of the n-th commit, which is an hour older than noon. */
const commitOf = (n: number, change: Partial<GitCommit> = {}): GitCommit => ({ sha: shaOf(n), committedAt: at(-3_600), ...change });
const admit = (n: number, commit: GitCommit | undefined = commitOf(n)): EnvironmentCommand => ({
  type: "AdmitDeployment",
  request: request(n, commit && { commit }),
  ...by,
});
const ready = (n: number, sequence = n): EnvironmentCommand => ({
  type: "RequestFlip",
  deploymentId: deploymentId(n),
  sequence,
  release: release(n),
  ...by,
});
const live = (sequence: number): EnvironmentCommand => ({ type: "RecordWentLive", sequence });
const deploy = (n: number, sequence = n, commit?: GitCommit): EnvironmentCommand[] => [
  admit(n, commit),
  ready(n, sequence),
  live(sequence),
];
const back = (sequence: number, to: number): EnvironmentCommand[] => [
  { type: "RequestRollback", to: deploymentId(to), actor: "ben", at: at() },
  live(sequence),
];
const unpin: EnvironmentCommand = { type: "UnpinEnvironment", ...by };

/** Each event a minute after the one before, from noon on. */
const recorded = (events: readonly EnvironmentEvent[], stream = "environment/web/production"): Recorded<EnvironmentEvent>[] =>
  events.map(
    (event, n) =>
      ({
        ...event,
        id: `${stream}.${n}`,
        stream,
        version: n + 1,
        index: 0,
        at: at(n * 60),
        position: positionAt(Date.parse(at(n * 60))),
        actor: "shiplog",
      }) as Recorded<EnvironmentEvent>,
  );
const past = (...commands: EnvironmentCommand[]) => recorded(asked(environment)(...commands));
const ofMinutes = (since: number, until: number): Period => ({
  since: positionAt(Date.parse(at(since * 60))),
  until: positionAt(Date.parse(at(until * 60))),
  ms: (until - since) * 60_000,
});
const ALL: Period = { ...ofMinutes(-60, 10_000), ms: 10 * DAY_MS };
const figures = (events: readonly Recorded<EnvironmentEvent>[], period = ALL, commits = new Map<string, GitCommit | null>()) =>
  dora(events, period, commits, Date.parse);
const minuteOf = (events: readonly Recorded<EnvironmentEvent>[], sequence: number): number =>
  events.findIndex((event) => event.type === "ReleaseWentLive" && event.body.sequence === sequence);
const ids = (...numbers: number[]): string[] => numbers.map(deploymentId);

describe("deployment frequency", () => {
  it("counts what a deployment brought live, and no rollback, a day of the period", () => {
    const found = figures(past(...deploy(1), ...deploy(2), ...back(3, 1), unpin, ...deploy(4)));
    expect(found.deploymentFrequency).toEqual({ perDay: 0.3, days: 10, sample: 3, counted: ids(1, 2, 4) });
  });

  it("counts what was held when it is live, and never what was superseded, failed or only asked for", () => {
    const pinned: EnvironmentCommand = { type: "PinEnvironment", reason: "sale" };
    const events = past(...deploy(1), pinned, admit(2), ready(2), admit(3), ready(3), unpin, live(3), admit(4), admit(5), ready(5), {
      type: "RecordFlipFailed",
      sequence: 5,
      reason: "it answers 500",
      moved: false,
    });
    expect(figures(events).deploymentFrequency.counted).toEqual(ids(1, 3));
    expect(figures(events).changeFailureRate).toMatchObject({ rate: 0, counted: [] });
    const held = figures(events).deployments.find(({ deploymentId: id }) => id === deploymentId(3));
    expect(held?.at).toBe(at(minuteOf(events, 3) * 60));
  });

  it("is zero of nothing, and the other figures are not known", () => {
    for (const events of [[], past(admit(1))])
      expect(figures(events)).toEqual({
        deploymentFrequency: { perDay: 0, days: 10, sample: 0, counted: [] },
        leadTime: {
          medianMs: null,
          p90Ms: null,
          sample: 0,
          counted: [],
          leftOut: { unknown: [], changed: [], again: [], implausible: [] },
        },
        changeFailureRate: { rate: null, sample: 0, counted: [] },
        timeToRestore: { medianMs: null, sample: 0, counted: [] },
        deployments: [],
        uncounted: [],
      });
  });

  it("takes all environments together, each by itself", () => {
    const web = past(...deploy(1), ...deploy(2));
    const docs = recorded(asked(environment)(...deploy(8, 1), ...deploy(9, 2), ...back(3, 8)), "environment/docs/production");
    const found = figures([...web, ...docs]);
    expect(found.deploymentFrequency.sample).toBe(4);
    expect(found.changeFailureRate).toEqual({ rate: 0.25, sample: 4, counted: ids(9) });
    expect(found.deployments.find(({ deploymentId: id }) => id === deploymentId(9))).toMatchObject({ site: "docs", sequence: 2 });
  });

  it("has the first deployment's event as everything's first, in the log's order", () => {
    const found = figures(past(...deploy(1), ...deploy(2)));
    expect(found.deployments.map(({ event, at: moment, position }) => [event, moment, position])).toEqual(
      [2, 5].map((n) => [`environment/web/production.${n}`, at(n * 60), positionAt(Date.parse(at(n * 60)))]),
    );
  });
});

describe("lead time for changes", () => {
  it("is from the commit to going live, as a median and as what nine of ten are not above", () => {
    const found = figures(past(...deploy(1), ...deploy(2), ...deploy(3)));
    // the third event of each deployment, a minute an event
    expect(found.deployments.map(({ leadTimeMs }) => leadTimeMs)).toEqual([62, 65, 68].map((minutes) => minutes * 60_000));
    expect(found.leadTime).toMatchObject({ medianMs: 65 * 60_000, p90Ms: 68 * 60_000, sample: 3, counted: ids(1, 2, 3) });
  });

  it.each<[string, GitCommit | undefined, string]>([
    ["no commit", undefined, "unknown"],
    ["a commit whose time nobody told", { sha: shaOf(2) }, "unknown"],
    ["a source that differs from its commit", commitOf(2, { dirty: true }), "changed"],
    ["a commit that is live already", commitOf(1), "again"],
    ["a commit of the future", commitOf(2, { committedAt: "9999-12-31T23:59:59Z" }), "implausible"],
    ["a commit of the beginning of time", commitOf(2, { committedAt: "1970-01-01T00:00:00Z" }), "implausible"],
  ])("leaves out %s, and says so", (_, commit, reason) => {
    const second: EnvironmentCommand = { type: "AdmitDeployment", request: request(2, commit && { commit }), ...by };
    const found = figures(past(...deploy(1), second, ready(2), live(2)));
    expect(found.leadTime).toMatchObject({ medianMs: 62 * 60_000, p90Ms: 62 * 60_000, sample: 1, counted: ids(1) });
    expect(found.leadTime.leftOut).toEqual({ unknown: [], changed: [], again: [], implausible: [], [reason]: ids(2) });
    expect(found.deploymentFrequency.sample).toBe(2);
  });

  it("counts a commit whose source had differed before as new when it comes clean", () => {
    expect(figures(past(...deploy(1, 1, commitOf(1, { dirty: true })), ...deploy(2, 2, commitOf(1)))).leadTime.counted).toEqual(ids(2));
  });

  it("asks for commits of what was admitted, or live, before the period, and of nothing else", () => {
    const events = past(...deploy(1), admit(2), admit(3), ready(2), live(2), ready(3), live(3), admit(4));
    const later = events.slice(minuteOf(events, 1) + 2);
    const period = ofMinutes(minuteOf(events, 1) + 2, 1_000);
    expect(commitsNeeded(events, ALL)).toEqual([]);
    expect(commitsNeeded(later, period)).toEqual(ids(1, 2));
    const commits = new Map([
      [deploymentId(1), commitOf(1)],
      [deploymentId(2), commitOf(1)],
    ]);
    // what was live differed from its commit, so that nobody has seen that commit live
    const dirty = new Map([...commits, [deploymentId(1), commitOf(1, { dirty: true })]]);
    expect(figures(later, period, dirty).leadTime.counted).toEqual(ids(2, 3));
    // the second is of the commit that was live already
    expect(figures(later, period, commits).leadTime).toMatchObject({ counted: ids(3), leftOut: { again: ids(2) } });
    expect(figures(later, period, new Map([[deploymentId(2), null]])).leadTime.leftOut.unknown).toEqual(ids(2));
  });
});

describe("change failure rate and time to restore", () => {
  it("are of a deployment that was rolled back, from going live to the rollback's going live", () => {
    const events = past(...deploy(1), ...deploy(2), ...back(3, 1));
    const ms = (minuteOf(events, 3) - minuteOf(events, 2)) * 60_000;
    const found = figures(events);
    expect(found.changeFailureRate).toEqual({ rate: 0.5, sample: 2, counted: ids(2) });
    expect(found.timeToRestore).toEqual({ medianMs: ms, sample: 1, counted: ids(2) });
    const [rollback] = events.slice(minuteOf(events, 3));
    expect(found.deployments[1]?.rolledBack).toEqual({
      site: "web",
      environment: "production",
      deploymentId: deploymentId(1),
      sequence: 3,
      event: rollback?.id,
      position: rollback?.position,
      at: rollback?.at,
      by: "ben",
      ms,
    });
    expect(found.uncounted).toEqual([]);
  });

  it.each<[string, EnvironmentCommand[], number[], string[]]>([
    ["a rollback of a rollback", [...deploy(1), ...deploy(2), ...back(3, 1), ...back(4, 2)], [2], ["again"]],
    ["back, forth and back", [...deploy(1), ...deploy(2), ...back(3, 1), ...back(4, 2), ...back(5, 1)], [2], ["again", "again"]],
    ["two steps back", [...deploy(1), ...deploy(2), ...deploy(3), ...back(4, 2), ...back(5, 1)], [3], ["again"]],
    ["one long step back, past another", [...deploy(1), ...deploy(2), ...deploy(3), ...back(4, 1)], [3], []],
    ["a rollback after the next deployment", [...deploy(1), ...deploy(2), ...back(3, 1), unpin, ...deploy(4)], [2], []],
    ["the same release live twice", [...deploy(1), ...deploy(2), ...back(3, 1), unpin, ...deploy(4), ...back(5, 1)], [2, 4], []],
    ["a deployment that went forward instead", [...deploy(1), ...deploy(2), ...deploy(3)], [], []],
    ["nothing live before", deploy(1), [], []],
    [
      "a rollback that did not come about",
      [
        ...deploy(1),
        ...deploy(2),
        { type: "RequestRollback", to: deploymentId(1), ...by },
        { type: "RecordFlipFailed", sequence: 3, reason: "it answers 500", moved: false },
      ],
      [],
      [],
    ],
    [
      "what the engine put back before somebody rolled back",
      [
        ...deploy(1),
        ...deploy(2),
        admit(3),
        ready(3),
        { type: "RecordFlipFailed", sequence: 3, reason: "gone", moved: true },
        live(4),
        ...back(5, 1),
      ],
      [2],
      ["restore"],
    ],
    [
      "a rollback to what is live, that keeps something else from going live, before one that takes it down",
      [...deploy(1), ...deploy(2), admit(3), ready(3), ...back(4, 2), ...back(5, 1)],
      [2],
      ["stayed"],
    ],
  ])("count each deployment once at most: %s", (_, commands, failed, uncounted) => {
    const found = figures(past(...commands));
    expect(found.changeFailureRate.counted).toEqual(ids(...failed));
    expect(found.timeToRestore.counted).toEqual(ids(...failed));
    expect(found.uncounted.map(({ why }) => why)).toEqual(uncounted);
  });

  it("belong to the period of the deployment, where the period's end cuts them in half", () => {
    const events = past(...deploy(1), ...deploy(2), ...back(3, 1));
    const cut = minuteOf(events, 3);
    const before = events.slice(0, cut);
    expect(undecided(before)).toEqual([{ stream: "environment/web/production", version: minuteOf(events, 2) + 1 }]);
    expect(figures(events, ofMinutes(-1, cut)).timeToRestore.counted).toEqual(ids(2));
    const after = figures(events.slice(cut), ofMinutes(cut, 1_000));
    expect([after.deploymentFrequency.sample, after.changeFailureRate.rate, after.timeToRestore.medianMs]).toEqual([0, null, null]);
    expect(after.uncounted).toMatchObject([{ sequence: 3, how: "rollback", why: "earlier", by: "ben" }]);
  });

  it("belong to an earlier period also where the engine put the release back in between", () => {
    const half: EnvironmentCommand = { type: "RecordFlipFailed", sequence: 3, reason: "gone", moved: true };
    const events = past(...deploy(1), ...deploy(2), admit(3), ready(3), half, live(4), ...back(5, 1));
    const cut = minuteOf(events, 2) + 1;
    expect(figures(events.slice(cut), ofMinutes(cut, 1_000)).uncounted.map(({ why }) => why)).toEqual(["restore", "earlier"]);
  });

  it("are decided where the next deployment, or a rollback, is among the events", () => {
    expect(undecided(past(...deploy(1), ...deploy(2), ...back(3, 1)))).toEqual([]);
    expect(undecided([])).toEqual([]);
    const restored = past(
      ...deploy(1),
      admit(2),
      ready(2),
      { type: "RecordFlipFailed", sequence: 2, reason: "gone", moved: true },
      live(3),
    );
    expect(undecided(restored)).toEqual([{ stream: "environment/web/production", version: restored.length }]);
  });
});

describe("a promotion, which nothing asks for yet", () => {
  it("is no deployment, and no failure of what it replaces", () => {
    const promoted = past(...deploy(1), ...deploy(2), ...back(3, 1), ...back(4, 2)).map((event) =>
      event.type === "ReleaseWentLive" && event.body.sequence === 3
        ? { ...event, body: { ...event.body, reason: "promote" as const } }
        : event,
    );
    expect(figures(promoted)).toMatchObject({
      changeFailureRate: { rate: 0, sample: 2 },
      uncounted: [{ how: "promote", why: "promote" }, { why: "again" }],
    });
  });
});

describe("whatever happened", () => {
  const steps = fc.array(
    fc.constantFrom("deploy", "deploy", "admit", "ready", "live", "live", "fail", "half", "back", "back", "pin", "unpin"),
    {
      maxLength: 60,
    },
  );
  const choices = fc.infiniteStream(fc.nat());
  /** Of any commands those that are taken: their sequences follow from the state. */
  const historyOf = ([wanted, numbers]: [string[], Iterator<number>]): Recorded<EnvironmentEvent>[] => {
    const events: EnvironmentEvent[] = [];
    let requests = 0;
    const any = (most: number): number => ((numbers.next().value as number) % Math.max(1, most)) + 1;
    const give = (command: EnvironmentCommand): void => {
      const outcome = environment.decide(command, fold(environment, events));
      if (!isRefusal(outcome)) events.push(...outcome);
    };
    const acts: Readonly<Record<string, () => void>> = {
      admit: () => give(admit(++requests, commitOf(any(4)))),
      ready: () => {
        const [id, sequence] = [...fold(environment, events).pending].at(-any(2)) ?? [];
        if (id !== undefined && sequence !== undefined) give(ready(Number(id.slice(4)), sequence));
      },
      live: () => give(live([...fold(environment, events).open.keys()].at(-1) ?? 1)),
      fail: () => give({ type: "RecordFlipFailed", sequence: fold(environment, events).flipped, reason: "gone", moved: false }),
      half: () => give({ type: "RecordFlipFailed", sequence: fold(environment, events).flipped, reason: "gone", moved: true }),
      back: () => give({ type: "RequestRollback", to: deploymentId(any(requests)), ...by }),
      pin: () => give({ type: "PinEnvironment", reason: "sale" }),
      unpin: () => give(unpin),
    };
    const runs = (name: string): string[] => (name === "deploy" ? ["unpin", "admit", "ready", "live"] : [name]);
    for (const name of wanted.flatMap(runs)) acts[name]?.();
    return recorded(events);
  };
  const histories = fc.tuple(steps, choices).map(([wanted, numbers]) => historyOf([wanted, numbers]));

  it("every change of what was live is in one place, and every id that is counted opens to its events", () => {
    fc.assert(
      fc.property(histories, (events) => {
        const found = figures(events);
        const { deployments, uncounted } = found;
        const placed = [...deployments, ...deployments.flatMap(({ rolledBack }) => rolledBack ?? []), ...uncounted].map(
          ({ event }) => event,
        );
        const changes = events.filter(({ type }) => type === "ReleaseWentLive").map(({ id }) => id);
        expect(placed.sort()).toEqual(changes.sort());
        const known = new Set(deployments.map(({ deploymentId: id }) => id));
        const counted = [found.deploymentFrequency, found.leadTime, found.changeFailureRate, found.timeToRestore].flatMap(
          (one) => one.counted,
        );
        expect(counted.filter((id) => !known.has(id))).toEqual([]);
        expect(found.leadTime.sample + Object.values(found.leadTime.leftOut).flat().length).toBe(deployments.length);
      }),
      { numRuns: 300 },
    );
  });

  it("the deployments and failures of two periods are those of both together", () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 1, noNaN: true }), (events, share) => {
        const cut = Math.floor(share * events.length);
        const withoutLead = ({ deployments }: ReturnType<typeof figures>) =>
          deployments.map(({ event, rolledBack }) => [event, rolledBack?.event ?? null]);
        const first = figures(events, ofMinutes(-1, cut));
        const second = figures(events.slice(cut), ofMinutes(cut, 10_000));
        expect([...withoutLead(first), ...withoutLead(second)]).toEqual(withoutLead(figures(events)));
        expect(first.uncounted.filter(({ position }) => position >= ofMinutes(0, cut).until)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the middle and the upper end", () => {
  it.each([
    [[], null, null],
    [[7], 7, 7],
    [[1, 100], 50.5, 100],
    [[3, 1, 2], 2, 3],
    [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 5.5, 9],
    [[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 6, 10],
  ])("of %j are %j and %j", (values, middle, upper) => {
    expect([median(values), percentile(values, 90)]).toEqual([middle, upper]);
  });
});

describe("the figures in words", () => {
  it.each([
    [0, "0 a day"],
    [2.44, "2.4 a day"],
    [1, "1 a day"],
    [3 / 7, "3 a week"],
    [1 / 7, "1 a week"],
    [0.1, "3 a month"],
    [1 / 60, "0.5 a month"],
  ])("%d is %s", (perDay, words) => {
    expect(sayFrequency(perDay)).toBe(words);
  });

  it("have a share in percent, and what was left out with its reason", () => {
    expect([0, 1 / 3, 1].map(sayShare)).toEqual(["0 %", "33.3 %", "100 %"]);
    const none = { unknown: [], changed: [], again: [], implausible: [] };
    expect(sayLeftOut(none)).toBe("");
    expect(sayLeftOut({ ...none, unknown: ids(1, 2), again: ids(3) })).toBe("2 commit time not known, 1 commit was live there before");
  });
});
