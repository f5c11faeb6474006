import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { viewNames } from "../../engine/views/read-models.ts";
import { rowsFile, rowsOfHistories } from "./rows.ts";

/**
 * Rows that are there already are believed by their number. A test that fails here means that a projection makes something
 * else of the same events: raise the number beside it (`deploymentShape` and the like), then run `node test/golden/record-rows.ts`.
 */
it.each(viewNames)("the row of %s has the shape that its number says", (name) => {
  expect(existsSync(rowsFile(name)), "this number has no rows yet: node test/golden/record-rows.ts").toBe(true);
  const recorded: unknown = JSON.parse(readFileSync(rowsFile(name), "utf8"));
  expect(JSON.parse(JSON.stringify(rowsOfHistories(name))), "the shape is another: raise its number, and record it").toEqual(recorded);
});
