import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PUBLIC_KEY, verifyExport } from "../../cli/verify-export.ts";

/** An export as 0.1.0 wrote it: seals of version 1. A test that fails here means that somebody's history can't be verified any more. */
const folder = fileURLToPath(new URL("sealed-0.1.0/", import.meta.url));

it("what 0.1.0 sealed still verifies", async () => {
  const verified = await verifyExport(folder, readFileSync(`${folder}${PUBLIC_KEY}`, "utf8"));
  expect(verified).toEqual({ seals: 2, commits: 12, passedOver: 0, until: "001795428012000", fault: null });
});
