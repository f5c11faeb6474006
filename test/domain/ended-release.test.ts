import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import { crowdedOut, MAX_REACHED } from "../../domain/environment/ended-release.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Route } from "../../domain/environment/route.ts";
import { fold, isRefusal } from "../../domain/kernel/decider.ts";
import { asked, specification } from "../support/given.ts";
import { at, deploymentId, release, request } from "../support/samples.ts";

const given = specification(environment);
const made = asked(environment);
const by = { actor: "ada", at: at() };
const UNTIL = at(100);

const routeOf = (n: number, address = n): Route => ({
  v: 1,
  sequence: n,
  address,
  release: deploymentId(n),
  host: ".lambda-url.eu-west-1.on.aws",
  server: `s${address}`,
  image: `s${address}`,
  files: { set: "0".repeat(16), rows: 0 },
});
const flip = (n: number): EnvironmentCommand[] => [
  { type: "AdmitDeployment", request: request(n), ...by },
  { type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...by },
];
type Switched = { readonly to?: number; readonly left?: readonly number[]; readonly address?: number };
const goesLive = (n: number, { to = n, left = [], address = to }: Switched = {}): EnvironmentCommand => ({
  type: "RecordWentLive",
  sequence: n,
  edge: {
    distribution: "E1",
    route: { ...routeOf(to, address), sequence: n },
    ended: left.map((one) => ({ release: deploymentId(one), until: UNTIL })),
  },
});
/** Deployment 1 was live until 2 was; what names 1 reaches it until the hundredth second. */
const left: EnvironmentCommand[] = [...flip(1), goesLive(1), ...flip(2), goesLive(2, { left: [1] })];
const back: EnvironmentCommand = { type: "RequestRollback", to: deploymentId(1), ...by };
const unpin: EnvironmentCommand = { type: "UnpinEnvironment", ...by };
const end = (n: number, second: number): EnvironmentCommand => ({
  type: "EndRelease",
  release: deploymentId(n),
  reason: "window",
  at: at(second),
});
const cut = (n: number, change: { why?: string; at?: string } = {}): EnvironmentCommand => ({
  type: "CutRelease",
  deploymentId: deploymentId(n),
  ...by,
  ...change,
});
const remove = (n: number, address = n): EnvironmentCommand => ({ type: "RemoveAddress", release: deploymentId(n), address });
const ended = (n: number, reason: "window" | "cut", why?: string): EnvironmentEvent => ({
  type: "ReleaseEnded",
  v: 1,
  body: { release: deploymentId(n), deploymentId: deploymentId(n), address: n, reason, ...(why !== undefined && { why }) },
});
const because = (command: EnvironmentCommand, ...past: EnvironmentCommand[]): string => {
  const outcome = environment.decide(command, fold(environment, made(...past)));
  return isRefusal(outcome) ? outcome.because : "it was not refused";
};

describe("more releases than there is room for", () => {
  /** What was live until the one after it, each for a second longer; the last is live. */
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, n) => n + 1).flatMap((n): EnvironmentCommand[] => {
      const one = goesLive(n) as Extract<EnvironmentCommand, { type: "RecordWentLive" }>;
      const before = n === 1 ? [] : [{ release: deploymentId(n - 1), until: at(10_000 - n) }];
      return [...flip(n), { ...one, ...(one.edge && { edge: { ...one.edge, ended: before } }) }];
    });
  const early = { ...ended(MAX_REACHED + 1, "window"), v: 1 as const };
  const why = `more than ${MAX_REACHED} newer releases are reached still`;

  it("end before their time, the one first whose time is over first, and only as many as are too many", () => {
    const full = made(...crowd(MAX_REACHED + 1));
    given(...full)
      .when(end(MAX_REACHED, 1))
      .yields();
    const over = made(...crowd(MAX_REACHED + 2));
    given(...over)
      .when(end(MAX_REACHED, 1))
      .yields();
    given(...over)
      .when(end(MAX_REACHED + 1, 1))
      .yields(ended(MAX_REACHED + 1, "window", why));
    expect([...crowdedOut(fold(environment, over))]).toEqual([deploymentId(MAX_REACHED + 1)]);
    expect([...crowdedOut(fold(environment, [...over, early]))]).toEqual([]);
  });
});

describe("a release whose window is over", () => {
  it("ends once, and not before", () => {
    given(...made(...left))
      .when(end(1, 99))
      .yields();
    given(...made(...left))
      .when(end(1, 100))
      .yields(ended(1, "window"));
    given(...made(...left, end(1, 100)))
      .when(end(1, 101))
      .yields();
  });
  it("does not end while it is live, while a flip to it is under way, or where nobody was ever sent to it", () => {
    given(...made(...left))
      .when(end(2, 999))
      .yields();
    given(...made(...left, back))
      .when(end(1, 100))
      .yields();
    given(...made(...left))
      .when(end(7, 999))
      .yields();
  });
  it("is reached again when it goes live again, and ends anew", () => {
    const again = [...left, end(1, 100), back, goesLive(3, { to: 1, left: [2] })];
    expect(fold(environment, made(...again)).routes.get(deploymentId(1))).toMatchObject({ until: null, ended: null });
    const leftAgain = [...again, unpin, ...flip(4), goesLive(4, { left: [1] })];
    given(...made(...leftAgain))
      .when(end(1, 100))
      .yields(ended(1, "window"));
  });
});

describe("a release that somebody cuts off", () => {
  it("ends at once, with the reason", () => {
    given(...made(...left))
      .when(cut(1, { why: "it loses orders" }))
      .yields(ended(1, "cut", "it loses orders"));
  });
  it("is cut once, and not where its time was over anyway", () => {
    given(...made(...left, cut(1)))
      .when(cut(1))
      .yields();
    given(...made(...left))
      .when(cut(1, { at: UNTIL }))
      .yields();
    // also where its row is gone
    given(...made(...left, cut(1), remove(1)))
      .when(cut(1))
      .yields();
  });
  it("is not what is live, nor what is going live", () => {
    given(...made(...left))
      .when(cut(2))
      .refuses("release.live");
    given(...made(...left, back))
      .when(cut(1))
      .refuses("release.going-live");
    given(...made(...left, ...flip(3)))
      .when(cut(3))
      .refuses("release.going-live");
  });
  it("is one that visitors are sent to: else the answer names those", () => {
    given(...made(...left))
      .when(cut(9))
      .refuses("release.not-routed");
    expect(because(cut(9), ...left)).toContain(`${deploymentId(1)}, ${deploymentId(2)}`);
    expect(because(cut(9), ...left, cut(1))).not.toContain(deploymentId(1));
    expect(because(cut(9), ...flip(1))).toContain("no release");
  });
});

describe("the address of a release that has ended", () => {
  const over = [...left, end(1, 100)];

  it("is taken away from the functions that visitors reach, once, and never used again", () => {
    const removed: EnvironmentEvent = {
      type: "AddressRemoved",
      v: 1,
      body: { release: deploymentId(1), deploymentId: deploymentId(1), address: 1, functions: ["web-production-server"] },
    };
    given(...made(...over))
      .when(remove(1))
      .yields(removed);
    given(...made(...over, remove(1)))
      .when(remove(1))
      .yields();
    const state = fold(environment, made(...over, remove(1)));
    expect([...state.routes.keys()]).toEqual([deploymentId(2)]);
    expect([...state.removedAddresses]).toEqual([1]);
  });
  it("stays while visitors may be sent there: it is live, its time goes on, or any flip is under way", () => {
    for (const past of [left, [...over, back], [...over, ...flip(3)], [...over, back, goesLive(3, { to: 1, left: [2] })]])
      given(...made(...past))
        .when(remove(1))
        .yields();
    given(...made(...over))
      .when(remove(2))
      .yields();
  });
  it("is another one by the time of a late question", () => {
    const again = [
      ...over,
      remove(1),
      back,
      goesLive(3, { to: 1, left: [2], address: 3 }),
      unpin,
      ...flip(4),
      goesLive(4, { left: [1] }),
      end(1, 100),
    ];
    given(...made(...again))
      .when(remove(1))
      .yields();
    expect(made(...again, remove(1, 3)).at(-1)).toMatchObject({ type: "AddressRemoved", body: { address: 3 } });
  });
});
