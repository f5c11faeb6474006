import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { changed } from "./hunt.ts";
import { mutants, rare } from "./mutants.ts";

const root = new URL("../../../", import.meta.url);

it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  "the planted mistake that %s fits the source of today",
  (name, { changes }) => {
    for (const change of changes) {
      const source = readFileSync(new URL(change.file, root), "utf8");
      expect(changed(source, name, change)).not.toBe(source);
    }
  },
);

it("the rare ones are among them", () => {
  const names = mutants.map(({ name }) => name);
  expect([...rare].filter((name) => !names.includes(name))).toEqual([]);
});
