import { expect, it } from "vitest";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import { at } from "../support/samples.ts";

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
