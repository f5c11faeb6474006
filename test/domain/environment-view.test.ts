import { expect, it } from "vitest";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import { at, release, request } from "../support/samples.ts";

/** The row after these events, one a second. */
const rowAfter = (...events: EnvironmentEvent[]) =>
  events.reduce(
    (view, event, n) => projectEnvironment(view, { ...event, version: n + 1, at: at(n), actor: "ada" } as Recorded<EnvironmentEvent>),
    emptyEnvironment("web", "production"),
  );
const elsewhere = (name: string): EnvironmentEvent => ({
  type: "AliasDriftDetected",
  v: 1,
  body: { function: name, expected: null, found: null },
});
const says = "it has no alias any more";
const back = (name: string): EnvironmentEvent => ({ type: "AliasDriftEnded", v: 1, body: { function: name, version: "7", sequence: 2 } });

it("shows every alias that is elsewhere, until that one is back", () => {
  expect(rowAfter(elsewhere("server"), elsewhere("image")).drifts).toEqual([
    { function: "image", at: at(1), says },
    { function: "server", at: at(0), says },
  ]);
  expect(rowAfter(elsewhere("server"), elsewhere("image"), back("image")).drifts).toEqual([{ function: "server", at: at(0), says }]);
  expect(rowAfter(elsewhere("server"), elsewhere("server")).drifts).toEqual([{ function: "server", at: at(1), says }]);
  expect(rowAfter(elsewhere("server"), back("server")).drifts).toEqual([]);
});

it("says what is wrong with an alias that was changed by hand", () => {
  const found = { version: "7", description: "seq=2 dep=dep_00000000000000000000000002", weights: { "6": 0.25 } };
  const weighted: EnvironmentEvent = {
    type: "AliasDriftDetected",
    v: 1,
    body: { function: "server", expected: { version: "7", sequence: 2 }, found },
  };
  expect(rowAfter(weighted).drifts).toEqual([{ function: "server", at: at(0), says: "25 % of its requests go to version 6" }]);
});

it("shows why a release is not reached any more, until its address is taken away or it is live again", () => {
  const id = (n: number): string => `dep_${n.toString().padStart(26, "0")}`;
  const switched = (n: number, to: number, left: readonly number[]): EnvironmentEvent => ({
    type: "EdgeSwitched",
    v: 1,
    body: {
      sequence: n,
      deploymentId: id(to),
      distribution: "E1",
      route: {
        v: 1,
        sequence: n,
        address: to,
        release: id(to),
        host: ".aws",
        server: `s${to}`,
        image: `s${to}`,
        files: { set: "0".repeat(16), rows: 0 },
      },
      ended: left.map((one) => ({ release: id(one), until: at(90) })),
    },
  });
  const body = { release: id(1), deploymentId: id(1), address: 1 };
  const cut: EnvironmentEvent = { type: "ReleaseEnded", v: 1, body: { ...body, reason: "cut" } };
  const removed: EnvironmentEvent = { type: "AddressRemoved", v: 1, body: { ...body, functions: ["server"] } };
  const shown = (...events: EnvironmentEvent[]) =>
    rowAfter(switched(1, 1, []), switched(2, 2, [1]), ...events).routes.map(({ deploymentId, until, ended }) => [
      deploymentId,
      until,
      ended,
    ]);
  expect(shown()).toEqual([
    [id(2), null, null],
    [id(1), at(90), null],
  ]);
  expect(shown(cut)[1]).toEqual([id(1), at(90), "cut"]);
  expect(shown(cut, removed)).toEqual([[id(2), null, null]]);
  expect(shown(cut, switched(3, 1, [2]))[0]).toEqual([id(1), null, null]);
  expect(shown(cut, switched(3, 3, [2, 1]))[2]).toEqual([id(1), at(90), null]);
});

it("has of what was live before no more than who reads it needs: what its functions are is told by its deployment's row", () => {
  const live = (n: number): EnvironmentEvent => ({
    type: "ReleaseWentLive",
    v: 1,
    body: { sequence: n, deploymentId: request(n).deploymentId, release: release(n), reason: "deploy", actor: "ada", previous: null },
  });
  const row = rowAfter(live(1), live(2));
  expect(row.live).toMatchObject({ sequence: 2, release: release(2) });
  expect(row.history).toEqual([
    { sequence: 1, deploymentId: request(1).deploymentId, at: at(0), reason: "deploy", actor: "ada", why: null },
  ]);
});
