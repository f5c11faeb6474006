import { describe, expect, it } from "vitest";
import { EMPTY_ALIAS } from "../../blueprint/site-resources.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { describe as describeFence, isAsRecorded, judgeAlias, sayDrift, sayVersions, UNMOVED } from "../../domain/environment/fence.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { asked, specification } from "../support/given.ts";
import { at, deploymentId, functions, release, request } from "../support/samples.ts";

const given = specification(environment);
const made = asked(environment);
const types = (events: readonly EnvironmentEvent[]) => events.map(({ type }) => type);
const by = { actor: "ada", at: at() };
const [revalidation, server] = functions(1).map(({ name }) => name) as [string, string];

/** Alias `live` as it was read. */
const alias = (sequence: number, version: number, weights?: Record<string, number>) => ({
  version: String(version),
  description: describeFence({ sequence, deploymentId: deploymentId(sequence) }),
  ...(weights && { weights }),
});
const flip = (sequence: number) => ({ sequence, deploymentId: deploymentId(sequence), version: String(sequence) });

describe("an alias, seen from flip 5 where 7 is the highest", () => {
  const HIGHEST = 7;
  it.each([
    ["an older one", alias(4, 4), "older"],
    ["none yet", { version: "1", description: EMPTY_ALIAS }, "older"],
    ["this one", alias(5, 5), "ours"],
    ["a newer one", alias(7, 7), "newer"],
    ["a sequence above the highest", alias(8, 8), "drift"],
    ["this sequence at another version", alias(5, 6), "drift"],
    ["this sequence for another deployment", { version: "5", description: `seq=5 dep=${deploymentId(6)}` }, "drift"],
    ["somebody's own words", { version: "4", description: "by hand" }, "drift"],
    ["nothing: it is gone", undefined, "drift"],
  ])("that says %s", (_, found, is) => {
    expect(judgeAlias(found, flip(5), HIGHEST).is).toBe(is);
  });
  it("tells of a part of the requests that goes elsewhere", () => {
    for (const found of [alias(4, 4, { "3": 0.1 }), alias(5, 5, { "3": 0.1 }), alias(7, 7, { "3": 0.1 })])
      expect(judgeAlias(found, flip(5), HIGHEST)).toMatchObject({ weighted: true });
  });
  it("says before its first flip what the infrastructure gave it", () => {
    expect(describeFence(UNMOVED)).toBe(EMPTY_ALIAS);
  });
});

describe("an alias that is looked at", () => {
  it.each([
    ["where the log has put it", flip(5), alias(5, 5), true],
    ["with weights", flip(5), alias(5, 5, { "4": 0.2 }), false],
    ["with another sequence", flip(5), alias(4, 5), false],
    ["at another version", flip(5), { ...alias(5, 5), version: "4" }, false],
    ["unmoved, as nothing was recorded", undefined, { version: "1", description: EMPTY_ALIAS }, true],
    ["with a sequence, as nothing was recorded", undefined, alias(3, 1), false],
    ["gone", flip(5), undefined, false],
  ])("%s", (_, recorded, found, is) => {
    expect(isAsRecorded(recorded, found)).toBe(is);
  });
  it("is told of in words that name what was found and what was expected", () => {
    expect(sayDrift(flip(5), alias(5, 5, { "4": 0.1 }))).toBe("10 % of its requests go to version 4");
    expect(sayDrift(flip(5), { ...alias(1_000, 3) })).toBe(
      "it is at version 3, and the log has put it at version 5; its description says sequence 1000, and the log has 5",
    );
    expect(sayDrift(flip(5), { version: "5", description: "by hand" })).toBe('its description "by hand" is not Shiplog\'s');
    expect(sayDrift(flip(5), { version: "5", description: `seq=5 dep=${deploymentId(6)}` })).toContain("names another deployment");
    expect(sayDrift(null, null)).toBe("it has no alias any more");
    expect(sayVersions(alias(5, 5, { "4": 0.125 }))).toBe("5 (12.5 % to 4)");
    expect(sayVersions(alias(5, 5))).toBe("5");
  });
});

const admit = (n: number): EnvironmentCommand => ({ type: "AdmitDeployment", request: request(n), ...by });
const requestFlip = (n: number): EnvironmentCommand => ({
  type: "RequestFlip",
  deploymentId: deploymentId(n),
  sequence: n,
  release: release(n),
  ...by,
});
const moved = (n: number, change: { to?: string; function?: string; deploymentId?: string } = {}): EnvironmentCommand => ({
  type: "RecordAliasFlipped",
  sequence: n,
  deploymentId: deploymentId(n),
  function: server,
  from: "1",
  to: String(n),
  revisionId: `r${n}`,
  ...change,
});
const flips = (...numbers: number[]): EnvironmentEvent[] => made(...numbers.map(admit), ...numbers.map(requestFlip));
const written = (past: readonly EnvironmentEvent[], ...commands: EnvironmentCommand[]): EnvironmentEvent[] => {
  const events = [...past];
  for (const command of commands) events.push(...(environment.decide(command, fold(environment, events)) as EnvironmentEvent[]));
  return events.slice(past.length);
};

describe("the record of an alias", () => {
  it("has each flip once", () => {
    expect(types(written(flips(1, 2), moved(2), moved(2)))).toEqual(["AliasFlipped"]);
  });
  it("never goes back", () => {
    expect(types(written(flips(1, 2), moved(2), moved(1)))).toEqual(["AliasFlipped"]);
  });
  it("is of each function by itself", () => {
    expect(types(written(flips(1), moved(1), moved(1, { function: revalidation })))).toEqual(["AliasFlipped", "AliasFlipped"]);
  });
  it("takes nothing but a move that a flip was asked for", () => {
    const past = flips(1, 2);
    for (const byHand of [
      moved(1_000),
      moved(3),
      moved(2, { to: "7" }),
      moved(2, { deploymentId: deploymentId(1) }),
      moved(2, { function: "another" }),
    ])
      given(...past)
        .when(byHand)
        .yields();
  });
  it("takes a move that is late: its flip has ended, and its alias was not seen moved since", () => {
    const failed: EnvironmentCommand = { type: "RecordFlipFailed", sequence: 1, reason: "it took too long", moved: false };
    const past = flips(1, 2);
    expect(types(written([...past, ...written(past, failed)], moved(1)))).toEqual(["AliasFlipped"]);
  });
  it("keeps no flip in mind whose functions were all seen moved", () => {
    const past = [...flips(1, 2), ...written(flips(1, 2), moved(2), moved(2, { function: revalidation }))];
    expect(fold(environment, past).targets.size).toBe(0);
  });
});

describe("drift of an alias", () => {
  const past = [...flips(1), ...written(flips(1), moved(1), moved(1, { function: revalidation }))];
  const expected = flip(1);
  const byHand = { version: "3", description: "by hand" };
  const drift = (found: { version: string; description: string; weights?: Record<string, number> } | null): EnvironmentCommand => ({
    type: "RecordDrift",
    function: server,
    expected,
    found,
  });
  const back: EnvironmentCommand = { type: "RecordDriftEnded", function: server, version: "1", sequence: 1 };

  it("is recorded once for what was found", () => {
    expect(types(written(past, drift(byHand), drift({ ...byHand })))).toEqual(["AliasDriftDetected"]);
  });
  it("is recorded again when something else is found", () => {
    expect(types(written(past, drift(byHand), drift({ ...byHand, version: "4" })))).toHaveLength(2);
    expect(types(written(past, drift(byHand), drift(null)))).toHaveLength(2);
  });
  it("says which part of the requests goes elsewhere", () => {
    const weighted = alias(1, 1, { "0": 0.1 });
    given(...past)
      .when(drift(weighted))
      .yields({ type: "AliasDriftDetected", v: 1, body: { function: server, expected, found: weighted } });
    expect(types(written(past, drift(weighted), drift({ ...weighted }), drift(alias(1, 1, { "0": 0.2 }))))).toHaveLength(2);
  });
  it("is forgotten once a flip put the alias right", () => {
    const two = [...past, ...written(past, admit(2), requestFlip(2))];
    expect(types(written(two, drift(byHand), moved(2), { ...drift(byHand), expected: flip(2) } as EnvironmentCommand))).toEqual([
      "AliasDriftDetected",
      "AliasFlipped",
      "AliasDriftDetected",
    ]);
  });
  it("ends once, when somebody put the alias back, and may come again", () => {
    expect(types(written(past, back))).toEqual([]);
    expect(types(written(past, drift(byHand), back, back, drift(byHand)))).toEqual([
      "AliasDriftDetected",
      "AliasDriftEnded",
      "AliasDriftDetected",
    ]);
  });
  it("is none where a flip has overtaken the look", () => {
    const two = [...past, ...written(past, admit(2), requestFlip(2))];
    // it found what flip 2 has just put there
    expect(written(two, drift(alias(2, 2)))).toEqual([]);
    // it expects what was there before
    expect(types(written(two, moved(2), drift(alias(1, 1))))).toEqual(["AliasFlipped"]);
    // a hand that writes the sequence of flip 2 at another version is none of its moves
    expect(types(written(two, drift(alias(2, 9))))).toEqual(["AliasDriftDetected"]);
  });
});
