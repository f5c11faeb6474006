import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRegionSaid, REGION_UNSAID } from "../../blueprint/region.ts";
import { evaluate } from "./support/graph.ts";

const config = "[default]\noutput = json\n\n[profile work]\nregion = eu-west-1\n[sso-session work-sso]\nsso_region = eu-west-1\n";

describe("the region of a deployment", () => {
  it.each([
    [true, { AWS_REGION: "eu-west-1" }, []],
    [true, { AWS_DEFAULT_REGION: "eu-west-1" }, []],
    [true, { AWS_PROFILE: "work" }, [config]],
    [true, {}, ["[default]\nregion=eu-west-1"]],
    [true, { AWS_PROFILE: "keys" }, [config, "[keys]\r\nregion = eu-west-1\r\n"]],
    [false, {}, []],
    [false, { AWS_REGION: "" }, [config]],
    [false, { AWS_PROFILE: "other" }, [config]],
    [false, { AWS_PROFILE: "work-sso" }, [config]],
  ] as const)("is said (%s) by %j and what profiles say", (said, variables, files) => {
    expect(isRegionSaid(variables, files)).toBe(said);
  });
});

describe("a deployment that SST would make in us-east-1", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "shiplog-region-"));
    writeFileSync(join(folder, "config"), config);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const deployed = (variables: Readonly<Record<string, string>>) =>
    evaluate("try", {
      file: join(folder, "graph.json"),
      variables: {
        ...{ SST_AWS_REGION: "us-east-1", AWS_REGION: "", AWS_DEFAULT_REGION: "", AWS_PROFILE: "", AWS_DEFAULT_PROFILE: "" },
        ...{ AWS_CONFIG_FILE: join(folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "none") },
        ...variables,
      },
    });

  it("is refused where nobody said so", async () => {
    await expect(deployed({})).rejects.toThrow(REGION_UNSAID);
  });
});
