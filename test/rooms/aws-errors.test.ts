import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
/** What only the adapters may know of an AWS error: its class, its name, its metadata. */
const KNOWN = /\$metadata|instanceof \w+Exception\b|["']\w+Exception["']|import [^;]*\b\w+Exception\b[^;]*from "@aws-sdk/;

describe("AWS's own errors", () => {
  const files = globSync("{domain,blueprint,engine,services,operator,client,cli,demo,infra}/**/*.ts", { cwd: root }).filter(
    (path) => !path.startsWith("engine/aws/"),
  );

  it("are known to the adapters alone: everybody else has our words for them", () => {
    expect(files).toContain("services/flip-alias/move-alias.ts");
    expect(files.filter((path) => KNOWN.test(readFileSync(root + path, "utf8")))).toEqual([]);
  });
  it.each([
    "if (error.$metadata?.httpStatusCode === 404) return;",
    "if (error instanceof ConditionalCheckFailedException) return false;",
    'if (error.name === "ResourceNotFoundException") return;',
    'import { GetObjectCommand, NotFoundException } from "@aws-sdk/client-s3";',
  ])("are found in %j", (source) => {
    expect(KNOWN.test(source)).toBe(true);
  });
});
