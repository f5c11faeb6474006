/**
 * Writes what the read models make of the recorded histories: `node test/golden/record-rows.ts`, after the number of a
 * shape was raised, or a release has left new histories. What is recorded of a number is never written again.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { viewNames } from "../../engine/views/read-models.ts";
import { rowsFile, rowsOfHistories } from "./rows.ts";

mkdirSync(new URL("./rows/", import.meta.url), { recursive: true });
for (const name of viewNames) {
  const file = rowsFile(name);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>) : {};
  writeFileSync(file, `${JSON.stringify({ ...rowsOfHistories(name), ...before }, null, 2)}\n`);
}
