import { expect, it } from "vitest";
import { fitOf, version } from "../../client/version.ts";
import metadata from "../../package.json" with { type: "json" };

it.each([
  ["0.1.0", "0.1.0", "fits"],
  ["0.1.9", "0.1.0", "fits"],
  ["0.1.0", "0.2.0", "command-too-old"],
  ["0.10.0", "0.9.4", "command-too-new"],
  ["0.9.0", "1.0.0", "command-too-old"],
  ["1.2.0", "1.4.1", "fits"],
  ["1.4.0", "1.2.7", "command-too-new"],
  ["2.0.0", "1.9.0", "command-too-new"],
  ["1.9.0", "2.0.0-rc.1", "command-too-old"],
  ["0.2.0-next.3+5", "0.2.1", "fits"],
  ["0.1.0", "latest", undefined],
  ["0.1.0", "", undefined],
  ["0.1.0", "9.9.9\u001b[2J", undefined],
])("a command of %s at an engine of %s: %s", (command, engine, fit) => {
  expect(fitOf(command, engine)).toBe(fit);
});

it("the version is the package's", () => {
  expect(version).toBe(metadata.version);
});
