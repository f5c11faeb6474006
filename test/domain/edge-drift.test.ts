import { describe, expect, it } from "vitest";
import { sayEdgeDrift } from "../../domain/environment/edge-drift.ts";
import { keptWhy } from "../../domain/projections/kept-release.ts";
import { factsOf } from "../../domain/wording.ts";
import { rowOfLive } from "../../operator/doctor/site.ts";
import { at, deploymentId, route as routeOf } from "../support/samples.ts";

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
      { what: "row live:E1", state: "ok", says: "leads to r-5, sequence 7, as the log says", mend: null },
    ]);
    expect(rowOfLive({ edge, edgeDrift: byHand })).toMatchObject([
      { state: "wrong", mend: expect.stringContaining("delete this key from the table") },
    ]);
    expect(rowOfLive({ edge, edgeDrift: null })).toMatchObject([
      { state: "wrong", mend: expect.stringMatching(/^the engine writes it again/) },
    ]);
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
