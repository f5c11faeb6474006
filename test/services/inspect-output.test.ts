import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inspect } from "../../engine/open-next/inspect.ts";
import { OutputRefused } from "../../engine/open-next/output.ts";
import { type FixtureOutput, writeFixtureOutput } from "../support/fixture-output.ts";
import { outputOf } from "../support/output-of.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-output-"));
});
afterEach(() => rm(folder, { recursive: true }));

const inspected = async (streaming?: FixtureOutput["streaming"], more: Partial<FixtureOutput> = {}) => {
  await writeFixtureOutput(folder, { releaseId: "rel", architecture: "x64", ...(streaming && { streaming }), ...more });
  return inspect(await outputOf(folder), "rel", "x86_64");
};

describe("a build's output", () => {
  it("says whether its server streams", async () => {
    const streams = ({ packages }: Awaited<ReturnType<typeof inspect>>) => packages.map(({ role, streaming }) => [role, streaming]);
    const others = [
      ["image", undefined],
      ["revalidation", undefined],
    ];
    expect(streams(await inspected())).toEqual([["server", undefined], ...others]);
    expect(streams(await inspected("aws-lambda-streaming"))).toEqual([["server", true], ...others]);
  });
  it("is refused where its server streams in the words of another service than a Function URL", async () => {
    const refused = inspected("aws-apigw-streaming");
    await expect(refused).rejects.toBeInstanceOf(OutputRefused);
    await expect(refused).rejects.toThrow('the wrapper "aws-apigw-streaming" is not supported: use "aws-lambda-streaming"');
  });

  it("has each split function as a server of its own, with its paths as open-next.config.ts has them", async () => {
    const split = { api: ["/api/*", "api"], docs: ["_next/data/rel/docs*", "/docs/*"] };
    const { packages } = await inspected(undefined, { split, basePath: "/en" });
    expect(packages.map(({ role, folder, patterns }) => [role, folder, patterns])).toEqual([
      ["server", "server-functions/default", undefined],
      ["server-api", "server-functions/api", ["api", "api/*"]],
      ["server-docs", "server-functions/docs", ["_next/data/*/docs*", "docs/*"]],
      ["image", "image-optimization-function", undefined],
      ["revalidation", "revalidation-function", undefined],
    ]);
  });
  it.each([
    [{ "my-api": ["/api/*"] }, 'the name of the split function "my-api" is not supported'],
    [{ api: [] }, 'the split function "api" has no paths'],
  ])("is refused where a split function has no name or no paths to be reached by: %j", async (split, sentence) => {
    await expect(inspected(undefined, { split })).rejects.toThrow(sentence);
  });
});
