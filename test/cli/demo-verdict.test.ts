import { describe, expect, it } from "vitest";
import { documentOf, type Outcome, problemsOf } from "../../demo/summary.ts";
import { metSoFar } from "../../demo/verdict.ts";
import { deploymentId as id } from "../support/samples.ts";

const deployed = (n: number) => ({ id: id(n), status: "success", sequence: n, ms: 1 });
const flip = (sequence: number, from: number | null, to: number) => ({
  sequence,
  from: from === null ? null : id(from),
  to: id(to),
  ms: 1,
  at: 0,
  reason: "deploy",
});

/** A demo in which everything held, changed. */
const outcome = (change: Partial<Outcome> = {}): Outcome => ({
  deployments: [deployed(1), deployed(2)],
  traffic: {
    requests: 600,
    failed: 0,
    releases: [id(1), id(2)],
    perSequence: new Map(),
    perKind: new Map(),
    perSecond: 60,
    failures: [],
  },
  flips: [flip(1, null, 1), flip(2, 1, 2), flip(3, 2, 1)],
  rollback: { ms: 1, buildsStarted: 0, sequence: 3 },
  log: { commits: [], chain: "verified" },
  why: { deployment: id(1), because: [{ what: "live", detail: "#3", at: "", actor: "ada", event: "e" }] },
  verified: { seals: 1, commits: 20, until: null, passedOver: 0, fault: null },
  messages: { endpoints: [], slack: ["✅ web/production live"], verified: 1, refused: [], undelivered: [] },
  ...change,
});
const { verified, messages, why } = outcome();

describe("the demo's load", () => {
  const good = {
    kind: "ssr",
    path: "/ssr",
    start: 0,
    ms: 1,
    status: 200,
    expected: 200,
    release: id(1),
    sequence: 1,
    named: null,
    error: null,
  };

  it("says how many requests failed, and why the last of them did", () => {
    expect(metSoFar([good, good])).toBe("2 requests so far, 0 failed");
    const answers = [{ ...good, status: 502 }, { ...good, path: "/isr", status: 0, release: null, error: "no answer within 30 s" }, good];
    expect(metSoFar(answers)).toBe("3 requests so far, 2 failed, the last for: /isr: no answer within 30 s");
  });
});

describe("the demo", () => {
  it("has nothing to say where everything held", () => {
    expect(problemsOf(outcome())).toEqual([]);
  });

  it.each<[string, Partial<Outcome>, string]>([
    ["a sealed commit was changed", { verified: { ...verified, fault: { seal: 1, line: 3, reason: "it was changed" } } }, "NOT VERIFIED"],
    ["nothing was sealed", { verified: { ...verified, commits: 0 } }, "no commit was sealed"],
    ["Slack heard nothing", { messages: { ...messages, slack: [] } }, "no message for Slack arrived"],
    ["no signed message came", { messages: { ...messages, verified: 0 } }, "no signed message arrived"],
    ["a signature does not fit", { messages: { ...messages, refused: ["No matching signature found"] } }, "No matching signature found"],
    ["a message did not arrive", { messages: { ...messages, undelivered: ["BuildStarted: pending"] } }, "BuildStarted: pending"],
    ["the log explains another release", { why: { ...why, deployment: id(2) } }, `not ${id(1)}`],
    ["the log explains nothing", { why: { ...why, because: [] } }, `not ${id(1)}`],
    ["a request failed", { traffic: { ...outcome().traffic, failed: 1 } }, "1 requests failed"],
    ["a chain is broken", { log: { commits: [], chain: "broken: a" } }, "the log is broken: a"],
  ])("did not hold where %s", (_, change, problem) => {
    expect(problemsOf(outcome(change))).toEqual([expect.stringContaining(problem)]);
  });

  it("has all of it in its document", () => {
    expect(documentOf(outcome(), [])).toMatchObject({ why, verified, messages, problems: [] });
  });
});
