import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { type Keep, sayGoes, sayStays, stayRules } from "../../domain/environment/keep.ts";
import type { Environment } from "../../domain/environment/state.ts";
import { isClaimed, MAX_KEPT } from "../../domain/environment/sweep.ts";
import { type Candidate, protectedIn, verdictOf } from "../../domain/environment/verdict.ts";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const by = { actor: "ada", at: at() };
const keep: Keep = { releases: 1, days: 14, window: 168 };

/** Each command decided after those before; what is refused is an error. */
const having = (...commands: readonly EnvironmentCommand[]): { state: Environment; events: EnvironmentEvent[] } => {
  const events: EnvironmentEvent[] = [];
  for (const command of commands) {
    const outcome = environment.decide(command, fold(environment, events));
    if (isRefusal(outcome)) throw new Error(outcome.because);
    events.push(...outcome);
  }
  return { state: fold(environment, events), events };
};
const goesLive = (n: number): EnvironmentCommand[] => [
  { type: "AdmitDeployment", request: request(n), ...by },
  { type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...by },
  { type: "RecordWentLive", sequence: n },
];
const four = [1, 2, 3, 4].flatMap(goesLive);
const going = (n: number) => ({ deploymentId: deploymentId(n), release: deploymentId(n), rule: "was-live" as const });
const mark = (...ns: number[]): EnvironmentCommand => ({
  type: "MarkReleases",
  keep,
  releases: ns.map(going),
  others: { named: [], files: 0 },
  list: "sweeps/web/production/list.json",
  digest: "d".repeat(64),
  sweepAfter: at(100),
});
/** Those in force at that second. */
const claims = (seconds: number) => ({ after: at(seconds), upTo: at(seconds + 900) });
const begin = (ns: number[], seconds = 100, flipped: number | null = null): EnvironmentCommand => ({
  type: "BeginSweep",
  mark: 1,
  keep,
  releases: ns.map(going),
  until: at(seconds + 300),
  at: at(seconds),
  claims: claims(seconds),
  flipped,
});
const isSweeping = (state: Environment, seconds: number): boolean => isClaimed(state, claims(seconds));
const ended: EnvironmentCommand = {
  type: "EndSweep",
  mark: 1,
  releases: 1,
  taken: { rows: 0, addresses: 0, versions: 1, pages: 0, tags: 0, files: 0, artifacts: 0 },
  bytes: 7,
};
const swept = (events: readonly EnvironmentEvent[]): string[] =>
  events.flatMap((event) => (event.type === "SweepBegan" ? event.body.releases.map((one) => one.deploymentId) : []));
const refusal = (command: EnvironmentCommand, { state }: { state: Environment }): string => {
  const outcome = environment.decide(command, state);
  return isRefusal(outcome) ? outcome.refused : JSON.stringify(outcome);
};

describe("whether a release stays", () => {
  const candidate = (n: number, change: Partial<Candidate> = {}): Candidate => ({
    deploymentId: deploymentId(n),
    release: deploymentId(n),
    hasEnded: true,
    madeAt: at(0),
    wasLive: true,
    isSwept: false,
    ...change,
  });
  const recent = { youngSince: at(10), inWindow: new Set<string>(), mayFlip: new Set<string>(), sentOn: new Set<string>() };
  const judged = (state: Environment, one: Candidate, change = {}, releases = 1) =>
    Object.values(verdictOf(protectedIn(state, releases), one, { ...recent, ...change }))[0];

  it("is so of what is live, what was live last, and where a rollback goes; the rest goes", () => {
    const { state } = having(...four);
    expect([4, 3, 2, 1].map((n) => judged(state, candidate(n)))).toEqual(["live", "way-back", "was-live", "was-live"]);
    expect([4, 3, 2, 1].map((n) => judged(state, candidate(n), {}, 3))).toEqual(["live", "last-live", "last-live", "was-live"]);
  });

  it("is so of what visitors are sent to, whatever the log says of it", () => {
    const { state } = having(...four);
    const { deploymentId: id, release: served } = candidate(1);
    expect(protectedIn(state, 1, [served])({ deploymentId: id, release: served })).toBe("reached");
    expect(protectedIn(state, 1, [served])({ deploymentId: "another", release: "another" })).toBeUndefined();
  });

  it("is so of what a flip came to nothing of in the last hours, once its deployment has ended and whether or not it was swept before", () => {
    const { state } = having(...four);
    const mayFlip = { mayFlip: new Set([deploymentId(1)]) };
    expect(judged(state, candidate(1), mayFlip)).toBe("may-flip");
    expect(judged(state, candidate(1, { isSwept: true }), mayFlip)).toBe("may-flip");
    expect(judged(state, candidate(1, { hasEnded: false }), mayFlip)).toBe("under-way");
    expect(judged(state, candidate(2), mayFlip)).toBe("was-live");
  });

  it("is so of a release that a flip found at the edge, though the log never had it live", () => {
    const sentOn = { sentOn: new Set([deploymentId(1)]) };
    const { state } = having(...four);
    expect(judged(state, candidate(1, { deploymentId: deploymentId(9), wasLive: false, isSwept: true }), sentOn)).toBe("reached");
    expect(judged(state, candidate(2), sentOn)).toBe("was-live");
  });

  it("is so of what a rollback goes to, also where that lies behind all that was live last", () => {
    const rolledBack = having(...four, { type: "RequestRollback", ...by }, { type: "RecordWentLive", sequence: 5 }).state;
    expect([4, 3, 2, 1].map((n) => judged(rolledBack, candidate(n)))).toEqual(["was-live", "live", "way-back", "was-live"]);
  });

  it("is so of what is going live, what is held, what is pinned, and what somebody keeps", () => {
    const open = having(...four, { type: "RequestRollback", to: deploymentId(1), ...by }).state;
    expect(judged(open, candidate(1))).toBe("going-live");
    const admitted: EnvironmentCommand = { type: "AdmitDeployment", request: request(5), ...by };
    const flip: EnvironmentCommand = { type: "RequestFlip", deploymentId: deploymentId(5), sequence: 5, release: release(5), ...by };
    const held = having(...four, { type: "PinEnvironment", reason: "a sale" }, admitted, flip).state;
    expect(judged(held, candidate(5))).toBe("held");
    const pinned = having(
      ...four,
      { type: "PinEnvironment", reason: "a sale" },
      { type: "RequestRollback", to: deploymentId(1), ...by },
      {
        type: "RecordWentLive",
        sequence: 5,
      },
    ).state;
    expect(judged(pinned, candidate(4))).toBe("pinned");
    const kept = having(...four, { type: "KeepRelease", deploymentId: deploymentId(1), reason: "the launch", claims: claims(0) });
    expect(judged(kept.state, candidate(1))).toBe("kept");
    const unkept = environment.decide({ type: "UnkeepRelease", deploymentId: deploymentId(1) }, kept.state) as EnvironmentEvent[];
    expect(judged(fold(environment, [...kept.events, ...unkept]), candidate(1))).toBe("was-live");
  });

  it("is so of what visitors still reach, by its own id or by that of the build it took over", () => {
    const { state } = having(...four);
    state.routes.set(deploymentId(1), {
      deploymentId: deploymentId(2),
      route: {} as never,
      functions: [],
      until: at(0),
      ended: "window",
    });
    expect([1, 2].map((n) => judged(state, candidate(n)))).toEqual(["reached", "reached"]);
  });

  it("is so of what has not ended, of what was live within the window, and of what is young", () => {
    const { state } = having(...four);
    expect(judged(state, candidate(1, { hasEnded: false }))).toBe("under-way");
    expect(judged(state, candidate(1), { inWindow: new Set([deploymentId(1)]) })).toBe("window");
    expect(judged(state, candidate(1, { madeAt: at(10) }))).toBe("young");
    expect(judged(state, candidate(9, { wasLive: false }))).toBe("never-live");
  });

  it("is not so of what was swept already and left something behind, but where it is needed", () => {
    const { state } = having(...four);
    expect(judged(state, candidate(1, { isSwept: true, madeAt: at(10) }), { inWindow: new Set([deploymentId(1)]) })).toBe("was-live");
    expect(judged(state, candidate(4, { isSwept: true }))).toBe("live");
    expect(judged(state, candidate(1, { isSwept: true, hasEnded: false }))).toBe("under-way");
  });

  it("is said in a sentence, whichever rule it is", () => {
    const said = stayRules.map((rule) => sayStays(rule, keep));
    expect(new Set(said).size).toBe(stayRules.length);
    expect(said.join()).toContain("it was made within the last 14 days");
    expect(sayGoes("never-live", { ...keep, days: 1 })).toBe("it never went live, and was made more than 1 day ago");
    expect(sayGoes("was-live", keep)).toContain("not among the last 1 that were live, was live last more than 168 hours ago");
  });
});

describe("a sweep", () => {
  it("marks what nothing keeps, and nothing that something does", () => {
    const { events, state } = having(...four, mark(1, 3, 4));
    expect(events.at(-1)).toMatchObject({ type: "ReleasesMarked", body: { mark: 1, releases: [going(1)] } });
    expect(environment.decide(mark(2), state)).toEqual([]);
    expect(environment.decide(mark(3, 4), having(...four).state)).toEqual([]);
  });

  it("waits for its time, and for every flip to end", () => {
    const marked = having(...four, mark(1, 2));
    expect(environment.decide(begin([1, 2], 99), marked.state)).toEqual([]);
    const flipping = having(...four, mark(1, 2), { type: "RequestRollback", ...by });
    expect(environment.decide(begin([1, 2]), flipping.state)).toEqual([]);
    expect(swept(having(...four, mark(1, 2), begin([1, 2])).events)).toEqual([deploymentId(1), deploymentId(2)]);
  });

  it("lets nothing that was swept ask to go live, also where whoever asks stood still for two sweeps", () => {
    const flip: EnvironmentCommand = { type: "RequestFlip", deploymentId: deploymentId(5), sequence: 5, release: release(5), ...by };
    const admitted: EnvironmentCommand = { type: "AdmitDeployment", request: request(5), ...by };
    const once = [...four, admitted, mark(5), begin([5]), ended];
    for (const commands of [
      [...four, admitted, mark(5), begin([5])],
      once,
      [...once, mark(1), { ...begin([1]), mark: 2 }, { ...ended, mark: 2 }],
    ])
      expect(environment.decide(flip, having(...(commands as EnvironmentCommand[])).state)).toEqual([]);
    expect(environment.decide(flip, having(...four, admitted, mark(5)).state)).toHaveLength(1);
  });

  it("is no claim where a flip was asked for since the rules were: it may have ended already, and whoever is at it go on", () => {
    const failed: EnvironmentCommand = { type: "RecordFlipFailed", sequence: 5, reason: "it stood still", moved: false };
    const marked = having(...four, mark(1, 2), { type: "RequestRollback", to: deploymentId(1), ...by }, failed);
    expect(environment.decide(begin([1, 2], 100, 4), marked.state)).toEqual([]);
    expect(swept(having(...four, mark(1, 2), begin([1, 2], 100, 4)).events)).toEqual([deploymentId(1), deploymentId(2)]);
  });

  it("leaves what was chosen after it was marked, and takes nothing that was not marked", () => {
    const kept = having(
      ...four,
      mark(1, 2),
      { type: "KeepRelease", deploymentId: deploymentId(1), reason: "the launch", claims: claims(0) },
      begin([1, 2]),
    );
    expect(swept(kept.events)).toEqual([deploymentId(2)]);
    const back = having(
      ...four,
      mark(1, 2),
      { type: "RequestRollback", to: deploymentId(2), ...by },
      { type: "RecordWentLive", sequence: 5 },
      begin([1, 2, 4]),
    );
    expect(swept(back.events)).toEqual([]);
  });

  it("takes no mark for another", () => {
    const marked = having(...four, mark(1));
    for (const type of ["DropMark", "PutOffSweep"] as const)
      expect(environment.decide({ type, mark: 2, reason: "no" }, marked.state)).toEqual([]);
    expect(environment.decide({ ...begin([1]), mark: 2 } as EnvironmentCommand, marked.state)).toEqual([]);
    expect(environment.decide(ended, marked.state)).toEqual([]);
  });

  it("lets nobody go back to what it claimed, neither while it is taken away nor later, and nobody keep it", () => {
    const claimed = having(...four, mark(1, 2), begin([1, 2]));
    const to: EnvironmentCommand = { type: "RequestRollback", to: deploymentId(1), ...by };
    expect(refusal(to, claimed)).toBe("release.swept");
    const past = { deploymentId: deploymentId(1), sequence: 1, release: release(1) };
    expect(refusal({ ...to, past }, claimed)).toBe("release.swept");
    expect(refusal({ type: "KeepRelease", deploymentId: deploymentId(1), reason: "no", claims: claims(101) }, claimed)).toBe(
      "release.swept",
    );
    expect(refusal({ type: "KeepRelease", deploymentId: deploymentId(3), reason: "no", claims: claims(101) }, claimed)).toBe(
      "environment.sweeping",
    );
    const over = having(...four, mark(1, 2), begin([1, 2]), ended);
    expect(refusal({ ...to, past: { ...past, swept: { at: at(9), rule: "was-live", keep } } }, over)).toBe("release.swept");
    expect(over.state.sweep).toBeNull();
    expect([...over.state.everLive.keys(), ...over.state.standing].includes(deploymentId(1))).toBe(false);
  });

  it("lets who goes back by itself pass over what it claimed", () => {
    const { state } = having(...four, mark(1, 2), begin([1, 2]), { type: "RequestRollback", ...by });
    expect([...state.open.values()].map((flip) => flip.deploymentId)).toEqual([deploymentId(3)]);
  });

  it("is taken over once its claim's time is over, with what was claimed and not before", () => {
    const claimed = having(...four, mark(1, 2), begin([1]));
    expect(environment.decide(begin([1], 399), claimed.state)).toEqual([]);
    expect(swept(having(...four, mark(1, 2), begin([1]), begin([1, 2], 400)).events)).toEqual([deploymentId(1), deploymentId(1)]);
    expect([isSweeping(claimed.state, 399), isSweeping(claimed.state, 400)]).toEqual([true, false]);
  });

  it("is not held up by a claim that a clock far ahead has dated", () => {
    const ahead = { ...begin([1]), until: at(5_000) } as EnvironmentCommand;
    const claimed = having(...four, mark(1), ahead);
    expect([isSweeping(claimed.state, 101), isSweeping(claimed.state, 4_200)]).toEqual([false, true]);
    expect(swept(having(...four, mark(1), ahead, begin([1], 101)).events)).toEqual([deploymentId(1), deploymentId(1)]);
    // and neither by a mark of the same clock
    const early = { ...begin([1], 50), claims: claims(50) } as EnvironmentCommand;
    expect(swept(having(...four, mark(1), ahead, early).events)).toEqual([deploymentId(1), deploymentId(1)]);
  });

  it("is put off where something is being published, and begins again", () => {
    const off: EnvironmentCommand = { type: "PutOffSweep", mark: 1, reason: "busy" };
    const { state, events } = having(...four, mark(1), begin([1]), off, begin([1], 110), ended);
    expect(events.filter(({ type }) => type === "SweepBegan")).toHaveLength(2);
    expect(state).toMatchObject({ sweep: null, marks: 1 });
    expect(isSweeping(having(...four, mark(1), begin([1]), off).state, 101)).toBe(false);
  });

  it("drops a mark that nobody claimed, and the next has the next number", () => {
    const dropped = having(...four, mark(1), { type: "DropMark", mark: 1, reason: "its list is gone" }, mark(1));
    expect(dropped.state).toMatchObject({ marks: 2, sweep: { mark: 2 } });
    const claimed = having(...four, mark(1), begin([1]));
    expect(environment.decide({ type: "DropMark", mark: 1, reason: "no" }, claimed.state)).toEqual([]);
  });

  it("keeps no more releases by name than somebody can look through, each once", () => {
    const all = Array.from(
      { length: MAX_KEPT },
      (_, n): EnvironmentCommand => ({ type: "KeepRelease", deploymentId: deploymentId(n), reason: "x", claims: claims(0) }),
    );
    const full = having(...all, all[0] as EnvironmentCommand);
    expect(full.events).toHaveLength(MAX_KEPT);
    expect(refusal({ type: "KeepRelease", deploymentId: deploymentId(99), reason: "x", claims: claims(0) }, full)).toBe(
      "release.too-many-kept",
    );
  });
});
