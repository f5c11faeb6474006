import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { changed } from "../simulation/mutants/hunt.ts";
import { edits } from "./edits.ts";

const root = join(import.meta.dirname, "../..");
const files = new Set(readdirSync(join(root, "test"), { recursive: true }).map((file) => `test/${file}`));

describe("the wrong edits", () => {
  it.each(edits)("fits the source, and its tests are there: $name", ({ name, changes, tests }) => {
    for (const change of changes) {
      const source = readFileSync(join(root, change.file), "utf8");
      expect(changed(source, name, change)).not.toBe(source);
    }
    expect(tests).not.toEqual([]);
    expect(tests.filter((file) => !files.has(file))).toEqual([]);
  });

  it("are forty at least that somebody could notice, each under its own name", () => {
    expect(edits.filter(({ equivalent }) => equivalent === undefined).length).toBeGreaterThanOrEqual(40);
    expect(new Set(edits.map(({ name }) => name)).size).toBe(edits.length);
  });
});
