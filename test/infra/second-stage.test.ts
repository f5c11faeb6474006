import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate, type Graph, graphOf, type Resource, statements } from "./support/graph.ts";

let folder: string;
let production: Graph;
let other: Graph;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shiplog-stage-"));
  production = graphOf("production");
  other = await evaluate("try-1", { named: true, file: join(folder, "graph.json") });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const made = ({ resources }: Graph): Resource[] =>
  resources.filter(({ type, kind }) => type.startsWith("aws:") && kind === "registerResource");
/** What AWS calls a resource, where it is given a name or is found by another's. */
const namesOf = (graph: Graph): string[] =>
  made(graph).flatMap(({ type, inputs }) => {
    const { name = inputs.bucket ?? inputs.layerName } = inputs;
    // a name within a function, a bus or a bucket that has its own; and of a domain, which the fixture gives to both
    return typeof name === "string" && !/\/(alias|eventTarget|stage|logMetricFilter|bucketObjectv2|record):/.test(type)
      ? [`${type} ${name}`]
      : [];
  });

describe("a second stage in the account and region of production", () => {
  it("shares no name with it: each of AWS's carries the stage", () => {
    const taken = new Set(namesOf(production));
    const own = namesOf(other);
    expect(own.length).toBeGreaterThan(100);
    expect(own.filter((name) => taken.has(name))).toEqual([]);
    expect(own.filter((name) => !/[ /]shiplog(_try_1|-try-1)([-/]|$)|-try-1-/.test(name))).toEqual([]);
  });

  it("has no right that reaches what is production's, and production none that reaches what is its own", () => {
    const reach = (graph: Graph) =>
      made(graph)
        .filter(({ type }) => type === "aws:iam/role:Role")
        .flatMap(statements)
        .filter(({ Effect }) => Effect === "Allow")
        .flatMap(({ Resource, Condition }) => (Condition?.StringEquals?.["aws:ResourceTag/sst:stage"] === undefined ? Resource : []))
        .filter((arn) => arn !== "*");
    const arns = (graph: Graph) => made(graph).flatMap(({ outputs }) => (typeof outputs.arn === "string" ? [outputs.arn] : []));
    const fits = (pattern: string, arn: string) =>
      new RegExp(
        `^${pattern
          .replace(/[.+^${}()|[\]\\]/g, "\\$&")
          .replaceAll("*", ".*")
          .replaceAll("?", ".")}$`,
      ).test(arn);
    const crossing = (from: Graph, to: Graph) => {
      const foreign = arns(to).filter((arn) => !arns(from).includes(arn));
      return reach(from).flatMap((pattern) => foreign.filter((arn) => fits(pattern, arn)).map((arn) => `${pattern} reaches ${arn}`));
    };
    expect(arns(other).length).toBeGreaterThan(100);
    expect(crossing(production, other)).toEqual([]);
    expect(crossing(other, production)).toEqual([]);
  });

  it("tells its functions which stage their names are of", () => {
    const variables = (graph: Graph) =>
      made(graph).flatMap(({ inputs }) =>
        inputs.environment?.variables?.SHIPLOG_CONFIG === undefined ? [] : [inputs.environment.variables.SHIPLOG_STAGE],
      );
    expect(new Set(variables(other))).toEqual(new Set(["try-1"]));
    expect(new Set(variables(production))).toEqual(new Set(["production"]));
  });
});
