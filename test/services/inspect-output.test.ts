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

const inspected = async (streaming?: FixtureOutput["streaming"]) => {
  await writeFixtureOutput(folder, { releaseId: "rel", architecture: "x64", ...(streaming && { streaming }) });
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
});
