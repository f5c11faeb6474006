import { expect, it } from "vitest";
import { differenceOf } from "../../operator/replay/row-difference.ts";

const should = { v: 1, sequence: 5, server: "abc", files: { set: "0", rows: 0 } };
const of = (found: unknown): string => differenceOf(typeof found === "string" ? found : JSON.stringify(found), JSON.stringify(should));

it.each<[string, unknown, string]>([
  ["a field that is another", { ...should, server: "xyz" }, 'server is "xyz", and the log says "abc"'],
  ["a field within", { ...should, files: { set: "1", rows: 0 } }, 'files is {"set":"1","rows":0}, and the log says {"set":"0","rows":0}'],
  ["a field that is missing", { ...should, sequence: undefined }, "sequence is missing, and the log says 5"],
  ["one too many", { ...should, until: 7 }, "until is 7, which the log does not say"],
  [
    "the first three of many",
    { a: 1, b: 2 },
    'v is missing, and the log says 1; sequence is missing, and the log says 5; server is missing, and the log says "abc"; 3 more',
  ],
  ["what is no row", "by hand\u0007", 'it says something else than the log: "by hand\\u0007"'],
  ["what is a list", "[1]", 'it says something else than the log: "[1]"'],
  ["another order", { server: "abc", v: 1, sequence: 5, files: should.files }, "it says what the log says, in other words"],
])("names %s", (_, found, says) => {
  expect(of(found)).toBe(says);
});

it("says no more of paths, which nobody can read", () => {
  expect(differenceOf("aaaa,bbbb", "aaaa,cccc")).toBe("it says something else than the log");
});

it("shows no more of a value than fits into a line", () => {
  expect(of({ ...should, server: "x".repeat(2_000) })).toHaveLength(`server is , and the log says "abc"`.length + 80);
});
