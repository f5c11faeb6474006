import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newAccount } from "../../local/account-limits.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { clientEnvironment } from "../../local/client-options.ts";
import type { Finding } from "../../operator/doctor/finding.ts";
import { startWorld } from "../support/world.ts";
import { runCli } from "./support/run-cli.ts";

const QUOTAS = /^(builds on|functions at once$|CloudFront$)/;

describe("in an empty account, before the first deployment", () => {
  let folder: string;
  let aws: LocalAws;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shiplog-quotas-"));
    aws = await startAws({ dataDir: join(folder, "data"), account: newAccount(0), log: () => undefined });
  });
  afterAll(async () => {
    await aws.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** As on AWS: nothing but a region, credentials and where AWS is. */
  const doctor = async (...words: string[]) => runCli(["doctor", ...words], { cwd: folder, env: clientEnvironment(aws.endpoint) });
  const quotas = async (...words: string[]): Promise<Finding[]> => {
    const { code, out } = await doctor("--json", ...words);
    expect(code).toBe(5);
    return (JSON.parse(out) as { findings: Finding[] }).findings.filter(({ what }) => QUOTAS.test(what));
  };

  it("says the three quotas of a new account, each with what fails and what to do", async () => {
    expect(await quotas()).toEqual([
      {
        what: "builds on ARM/Small",
        state: "wrong",
        says: 'are not allowed to this account yet: a deployment fails with "Cannot have more than 0 builds in queue for the account"',
        mend: expect.stringMatching(/^aws service-quotas request-service-quota-increase --service-code codebuild --quota-code L-5ED1D25B /),
      },
      {
        what: "functions at once",
        state: "wrong",
        says: expect.stringMatching(/^10, the sites' and the engine's together: /),
        mend: "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000",
      },
      {
        what: "CloudFront",
        state: "wrong",
        says: expect.stringContaining("Your account must be verified before you can add new CloudFront resources"),
        mend: expect.stringContaining("docs/aws.md"),
      },
    ]);
  });

  it("asks for the machines that the sites file declares", async () => {
    const environments = [{ name: "production" }];
    const sites = [
      { name: "web", source: ".", environments, architecture: "x86_64" },
      { name: "docs", source: ".", environments },
    ];
    await writeFile(join(folder, "sites.json"), JSON.stringify({ sites }));
    const found = await quotas("--sites", join(folder, "sites.json"));
    expect(found.map(({ what }) => what)).toEqual(["builds on Linux/Small", "builds on ARM/Small", "functions at once", "CloudFront"]);
  });
});

it("says of a local engine on a new account how many builds and functions it may run", async () => {
  const world = await startWorld({ environments: ["production"], account: newAccount() });
  const { out } = await runCli(["--json", "--data", join(world.folder, "data"), "doctor"], {});
  await world.close();
  const found = (JSON.parse(out) as { findings: Finding[] }).findings.filter(({ what }) => QUOTAS.test(what));
  expect(found).toMatchObject([
    { what: expect.stringMatching(/^builds on \w+\/Small$/), state: "ok", says: "one at a time: further deployments wait" },
    { what: "functions at once", state: "wrong" },
  ]);
});
