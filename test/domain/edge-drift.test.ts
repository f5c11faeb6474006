import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import { sayEdgeDrift } from "../../domain/environment/edge-drift.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { keptWhy } from "../../domain/projections/kept-release.ts";
import { factsOf } from "../../domain/wording.ts";
import { rowOfLive } from "../../operator/doctor/site.ts";
import { asked, specification } from "../support/given.ts";
import { at, deploymentId, release, request, route as routeOf } from "../support/samples.ts";

const route = routeOf(7, { address: 5, release: deploymentId(5), server: "abc" });
const edge = { distribution: "E1", sequence: 7, route };
const byHand = JSON.stringify({ ...route, sequence: 6, address: 4, server: "xyz" });

describe("what is wrong with the edge's row", () => {
  it("is said as where it leads, or as it is where it leads nowhere, or that there is none", () => {
    expect(sayEdgeDrift({ sequence: 7, found: byHand })).toBe(
      "its table sends visitors where no flip sent them (#7 went live last): to #6, r-4 at xyz.lambda-url.eu-central-1.on.aws",
    );
    expect(sayEdgeDrift({ sequence: 7, found: "sent by hand" })).toMatch(/: sent by hand$/);
    expect(sayEdgeDrift({ sequence: 7, found: "x".repeat(1_000) }).length).toBeLessThan(300);
    expect(sayEdgeDrift({ sequence: 7, found: null })).toContain("its table has no row of what is live (#7)");
  });

  it("is told alike in the log, and its end too", () => {
    const drift = { distribution: "E1", sequence: 7, found: byHand };
    expect(factsOf({ type: "EdgeDriftDetected", v: 1, body: drift })).toBe(sayEdgeDrift(drift));
    expect(factsOf({ type: "EdgeDriftEnded", v: 1, body: { distribution: "E1", sequence: 7 } })).toBe(
      "its table sends visitors to #7 again",
    );
  });

  it("is a finding of doctor's, with what puts it right", () => {
    expect(rowOfLive({ edge: null, edgeDrift: undefined })).toEqual([]);
    expect(rowOfLive({ edge, edgeDrift: undefined })).toEqual([
      {
        what: "row live:E1",
        state: "ok",
        says: expect.stringMatching(/^leads to r-5, sequence 7, as far as the engine saw.*shiplog replay edge --verify$/),
        mend: null,
      },
    ]);
    expect(rowOfLive({ edge, edgeDrift: byHand })).toMatchObject([
      { state: "wrong", mend: expect.stringContaining("shiplog replay edge") },
    ]);
    expect(rowOfLive({ edge, edgeDrift: null })).toMatchObject([
      { state: "wrong", mend: expect.stringMatching(/^the engine writes it again/) },
    ]);
  });
});

describe("what is noted of the edge's row", () => {
  const given = specification(environment);
  const by = { actor: "ada", at: at() };
  const flip = (n: number): EnvironmentCommand[] => [
    { type: "AdmitDeployment", request: request(n), ...by },
    { type: "RequestFlip", deploymentId: deploymentId(n), sequence: n, release: release(n), ...by },
  ];
  const goesLive = (n: number): EnvironmentCommand => ({
    type: "RecordWentLive",
    sequence: n,
    edge: { distribution: "E1", route: routeOf(n, { release: deploymentId(n) }), ended: [] },
  });
  const drift = (sequence: number, found: string | null) => ({ type: "RecordEdgeDrift", distribution: "E1", sequence, found }) as const;
  const drifted = (sequence: number, found: string | null): EnvironmentEvent => ({
    type: "EdgeDriftDetected",
    v: 1,
    body: { distribution: "E1", sequence, found },
  });
  const right = (sequence: number) => ({ type: "RecordEdgeDriftEnded", distribution: "E1", sequence }) as const;
  const rowOf = (n: number): string => JSON.stringify(routeOf(n, { release: deploymentId(n) }));
  const one = asked(environment)(...flip(1), goesLive(1));
  const flipping = asked(environment)(...flip(1), goesLive(1), ...flip(2));
  const two = asked(environment)(...flip(1), goesLive(1), ...flip(2), goesLive(2));

  it("is what a hand wrote or deleted, whatever flip is under way", () => {
    for (const past of [one, flipping])
      for (const found of ["by hand", "{}", rowOf(3), null])
        given(...past)
          .when(drift(1, found))
          .yields(drifted(1, found));
    given(...two, drifted(2, "by hand"))
      .when(drift(2, "by hand"))
      .yields();
    given(...two, drifted(2, "by hand"))
      .when(drift(2, rowOf(1)))
      .yields(drifted(2, rowOf(1)));
  });
  it("is no row that a flip wrote which has not said so, or was given up", () => {
    given(...flipping)
      .when(drift(1, rowOf(2)))
      .yields();
    const failed: EnvironmentCommand = { type: "RecordFlipFailed", sequence: 2, reason: "it died", moved: false };
    given(...asked(environment)(...flip(1), goesLive(1), ...flip(2), failed))
      .when(drift(1, rowOf(2)))
      .yields();
  });
  it("is nothing that a flip has overtaken", () => {
    for (const found of ["by hand", null, rowOf(2)])
      given(...two)
        .when(drift(1, found))
        .yields();
    given(...two, drifted(2, "by hand"))
      .when(right(1))
      .yields();
    given(...two, drifted(2, "by hand"))
      .when(right(2))
      .yields({ type: "EdgeDriftEnded", v: 1, body: { distribution: "E1", sequence: 2 } });
  });
  it("leads to no restore where something else went live since", () => {
    given(...two)
      .when({ type: "RestoreEdge", sequence: 1, lost: "row" })
      .yields();
    given(...flipping)
      .when({ type: "RestoreEdge", sequence: 1, lost: "row" })
      .yields();
  });
});

describe("a switched edge", () => {
  it("is told by the row, where that leads, and until when pages of the release before reach it", () => {
    const body = { sequence: 7, deploymentId: deploymentId(5), distribution: "E1", route };
    expect(factsOf({ type: "EdgeSwitched", v: 1, body: { ...body, ended: [] } })).toBe(
      "#7 live:E1 → r-5 at abc.lambda-url.eu-central-1.on.aws",
    );
    expect(factsOf({ type: "EdgeSwitched", v: 1, body: { ...body, ended: [{ release: deploymentId(4), until: at(9) }] } })).toMatch(
      `; open pages of ${deploymentId(4)} reach it until ${at(9)}`,
    );
  });
});

describe("why a release is kept", () => {
  it.each([
    ["live", null, null, "it is live"],
    ["window", at(9), null, "its time is not over"],
    ["ended", at(5), null, "its time is over at this moment, though the log does not have it yet"],
    ["ended", at(9), "window", "the log has its end"],
    ["cut", at(9), "cut", "somebody took it out"],
  ] as const)("is %s (%s, %s): %s", (kept, until, ended, _) => {
    expect(keptWhy({ until, ended }, at(5))).toBe(kept);
  });
});
