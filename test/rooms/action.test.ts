import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import metadata from "../../package.json" with { type: "json" };
import type { Action } from "../support/run-action.ts";

const folder = new URL("../../action/", import.meta.url).pathname;
const text = readFileSync(`${folder}action.yml`, "utf8");
const action = parse(text) as Action;
const [step, ...more] = action.runs.steps;

describe("the action for GitHub", () => {
  it("is one step of bash, with a description of each input and output", () => {
    expect([action.runs.using, step?.shell, more]).toEqual(["composite", "bash", []]);
    for (const [name, { description }] of [...Object.entries(action.inputs), ...Object.entries(action.outputs)])
      expect([name, (description ?? "").length > 10]).toEqual([name, true]);
    for (const [name, { required, default: value }] of Object.entries(action.inputs))
      expect([name, required === true]).toEqual([name, value === undefined]);
  });

  it("gives every input to the script, and none to the shell", () => {
    expect(step?.run).toBe('node "$GITHUB_ACTION_PATH/deploy.mjs"');
    expect(text.split("\n").filter((line) => /\brun:/.test(line) && line.includes("${{"))).toEqual([]);
    const given = Object.fromEntries(
      Object.keys(action.inputs).map((name) => [`SHIPLOG_INPUT_${name.toUpperCase().replace("-", "_")}`, `\${{ inputs.${name} }}`]),
    );
    expect(step?.env).toEqual(given);
    const read = readFileSync(`${folder}inputs.mjs`, "utf8");
    for (const name of Object.keys(given)) expect(read).toContain(`"${name.replace("SHIPLOG_INPUT_", "")}"`);
  });

  it("has each of its outputs from its step", () => {
    for (const [name, { value }] of Object.entries(action.outputs)) expect(value).toBe(`\${{ steps.${step?.id}.outputs.${name} }}`);
  });

  it("runs this very version of the small package", () => {
    expect(action.inputs.version?.default).toBe(metadata.version);
    expect(readFileSync(`${folder}cli.mjs`, "utf8")).toContain(`"${metadata.name.split("/")[0]}/cli"`);
  });

  it("needs nothing that a runner has not", () => {
    for (const file of globSync("*.mjs", { cwd: folder }))
      for (const [, name = ""] of readFileSync(folder + file, "utf8").matchAll(/from "([^"]+)"/g)) expect(name).toMatch(/^(node:|\.\/)/);
  });
});
