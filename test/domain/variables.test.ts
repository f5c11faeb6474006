import { describe, expect, it } from "vitest";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { fold } from "../../domain/kernel/decider.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { type Audited, audit } from "../../domain/projections/audit.ts";
import { changedVariables } from "../../domain/projections/changed-variables.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import { factsOf } from "../../domain/wording.ts";
import { specification } from "../support/given.ts";
import { at, functions } from "../support/samples.ts";

const given = specification(environment);
/** The fingerprint of the n-th value. */
const print = (n: number): string => n.toString(16).padEnd(16, "0");
const set = (name: string, value: number, revision: number): EnvironmentEvent => ({
  type: "VariableSet",
  v: 1,
  body: { name, fingerprint: print(value), revision },
});
const removed = (name: string, revision: number): EnvironmentEvent => ({ type: "VariableRemoved", v: 1, body: { name, revision } });
const setThem = (...variables: [name: string, value: number, revision: number][]): EnvironmentCommand => ({
  type: "SetVariables",
  variables: variables.map(([name, value, revision]) => ({ name, fingerprint: print(value), revision })),
});
const remove = (name: string, revision: number): EnvironmentCommand => ({ type: "RemoveVariable", name, revision });

describe("a variable", () => {
  it("is set, each in an event of its own", () => {
    given()
      .when(setThem(["A", 1, 1], ["B", 2, 1]))
      .yields(set("A", 1, 1), set("B", 2, 1));
  });
  it("that the log has as the secret has it is not set again", () => {
    given(set("A", 1, 1))
      .when(setThem(["A", 1, 1], ["B", 2, 2]))
      .yields(set("B", 2, 2));
  });
  it("is set again where the secret had another value in between, whose event comes late", () => {
    given(set("A", 1, 1))
      .when(setThem(["A", 1, 3]))
      .yields(set("A", 1, 3));
  });
  it("is removed once", () => {
    given(set("A", 1, 1))
      .when(remove("A", 2))
      .yields(removed("A", 2));
    given(set("A", 1, 1), removed("A", 2))
      .when(remove("A", 2))
      .yields();
    given(removed("A", 2)).when(remove("A", 4)).yields(removed("A", 4));
  });
  it("is told in the trail even where a newer change was told first, which goes on to count", () => {
    given(set("A", 3, 3))
      .when(setThem(["A", 2, 2]))
      .yields(set("A", 2, 2));
    const noted = fold(environment, [set("A", 3, 3), set("A", 2, 2), removed("A", 1)]).variables;
    expect(noted).toEqual(new Map([["A", { fingerprint: print(3), revision: 3 }]]));
  });
  it("whose value is read is named, each time", () => {
    const read: EnvironmentEvent = { type: "VariablesRead", v: 1, body: { names: ["A"] } };
    given(read)
      .when({ type: "RecordVariablesRead", names: ["A"] })
      .yields(read);
  });
});

/** The row after these events, one a second. */
const rowAfter = (...events: EnvironmentEvent[]) =>
  events.reduce(
    (view, event, n) => projectEnvironment(view, { ...event, version: n + 1, at: at(n), actor: "ada" } as Recorded<EnvironmentEvent>),
    emptyEnvironment("web", "production"),
  );

describe("the row of an environment", () => {
  it("has of each variable what was done last by the secret's order, when, and by whom", () => {
    expect(rowAfter(set("A", 1, 1), set("B", 2, 3), set("B", 9, 2), removed("A", 4)).variables).toEqual({
      A: { fingerprint: null, revision: 4, at: at(3), actor: "ada" },
      B: { fingerprint: print(2), revision: 3, at: at(1), actor: "ada" },
    });
  });
  it("takes a name of JavaScript's own for a name", () => {
    expect(rowAfter(set("constructor", 1, 1)).variables).toEqual({
      constructor: { fingerprint: print(1), revision: 1, at: at(0), actor: "ada" },
    });
  });
});

describe("what has changed since a release", () => {
  const row = rowAfter(set("A", 1, 1), set("B", 2, 2), removed("C", 3));
  const given = (built: Record<string, string> | null, published = built, queuedAt = at(0)) => ({
    variables: { built, published },
    queuedAt,
  });
  it("is nothing where its build and its servers were given the same", () => {
    expect(changedVariables(row, given({ A: print(1), B: print(2) }))).toEqual([]);
  });
  it("is named where a value is another, was not there, or is gone", () => {
    expect(changedVariables(row, given({ A: print(8), B: print(2) }))).toEqual(["A"]);
    expect(changedVariables(row, given({ A: print(1) }))).toEqual(["B"]);
    expect(changedVariables(row, given({ A: print(1), B: print(2), C: print(3) }))).toEqual(["C"]);
  });
  it("is a variable that is declared no more, until a release goes without it", () => {
    expect(changedVariables(row, given({ A: print(1), B: print(2) }), ["A"])).toEqual(["B"]);
    expect(changedVariables(row, given({ A: print(1) }), ["A"])).toEqual([]);
  });
  it("counts where the build had another value than the servers: what is inlined is older", () => {
    expect(changedVariables(row, given({ A: print(7), B: print(2) }, { A: print(1), B: print(2) }))).toEqual(["A"]);
  });
  it("is what was set after it was asked for, where it is not known what it was given", () => {
    expect(changedVariables(row, given(null))).toEqual(["B", "C"]);
    expect(changedVariables(row, given(null, null, at(9)))).toEqual([]);
  });
});

describe("the trail", () => {
  const read: EnvironmentEvent = { type: "VariablesRead", v: 1, body: { names: ["A", "B"] } };
  it("says which variable had which fingerprint before and after, and whose values somebody read", () => {
    let state: Audited = {};
    const rows = [set("A", 1, 1), set("A", 2, 2), removed("A", 3), read].map((event, n) => {
      const told = audit(state, { ...event, ...envelope(n) } as Recorded);
      state = told.state;
      return [told.row.change?.before, told.row.change?.after, told.row.why];
    });
    expect(rows).toEqual([
      ["A without a value", "A 10000000", null],
      ["A 10000000", "A 20000000", null],
      ["A 20000000", "A without a value", null],
      [undefined, undefined, "values of A, B"],
    ]);
  });
  const envelope = (n: number) => ({ stream: "environment/web/production", version: n + 1, at: at(n), actor: "ada", origin: "" });
});

it("a release is told with the names of its variables, and no value or fingerprint", () => {
  const variables = { API_URL: print(1), API_KEY: print(2) };
  expect(factsOf({ type: "VersionsPublished", v: 1, body: { functions: functions(1), variables } })).toBe(
    "revalidation 1, server 1, with API_URL, API_KEY",
  );
});
