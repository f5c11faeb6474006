import { describe, expect, it } from "vitest";
import { stagePrefix } from "../../blueprint/stage.ts";
import { runCli } from "../cli/support/run-cli.ts";

describe("what the names of a stage begin with", () => {
  it("says nothing of the stage where it is production, or the one that was deployed before names carried one", () => {
    expect([stagePrefix(undefined, undefined), stagePrefix("", ""), stagePrefix("production", undefined)]).toEqual(
      Array(3).fill("shiplog"),
    );
    expect([stagePrefix("prod", "prod"), stagePrefix("production", "prod")]).toEqual(["shiplog", "shiplog_production"]);
  });

  it("is fitted by no pattern of another stage's names", () => {
    const [unnamed, named, longer] = [stagePrefix(undefined, undefined), stagePrefix("try", undefined), stagePrefix("try-1", undefined)];
    expect([named, longer]).toEqual(["shiplog_try", "shiplog_try_1"]);
    // a pattern is the prefix, a dash, and anything
    const prefixes = [unnamed, named, longer];
    expect(prefixes.flatMap((one) => prefixes.filter((other) => `${other}-web`.startsWith(`${one}-`) && other !== one))).toEqual([]);
  });

  it.each(["Ada", "a_b", "-a", "a-", "1st", "a-stage-of-seventeen", "s/1"])(
    "is refused where it is not made of what AWS takes: %s",
    (stage) => {
      expect(() => stagePrefix(stage, undefined)).toThrow(`the stage "${stage}" cannot stand in names of AWS`);
    },
  );
});

it("`shiplog dev` starts with no stage: names of this machine carry none", async () => {
  const { code, err } = await runCli(["dev", "--app", "."], { env: { SHIPLOG_STAGE: "try" } });
  expect([code, err]).toEqual([2, expect.stringContaining("SHIPLOG_STAGE names a stage on AWS, and this machine has none")]);
});

it("a stage that cannot stand in a name is told in a sentence", async () => {
  const { code, err } = await runCli(["doctor"], { env: { SHIPLOG_STAGE: "Ada" } });
  expect([code, err.trim().split("\n")]).toEqual([
    2,
    [expect.stringContaining('SHIPLOG_STAGE: the stage "Ada" cannot stand in names of AWS')],
  ]);
});
