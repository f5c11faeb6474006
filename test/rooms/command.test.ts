import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };

it("the command is executable, since npx runs the file of a clone as it is", () => {
  for (const file of Object.values(manifest.bin))
    expect([file, statSync(join(import.meta.dirname, "../..", file)).mode & 0o111]).toEqual([file, 0o111]);
});
