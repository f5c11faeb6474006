import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, startCli } from "../cli/support/run-cli.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

const ENVIRONMENT = "production";
let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: [ENVIRONMENT] });
});
afterAll(() => world.close());

/** Calls that could change or tell anything beside the tables and the archive. */
const others = (): Record<string, number> =>
  Object.fromEntries(
    Object.entries(world.aws.endpoint.counters()).filter(([name]) =>
      /^(events\.PutEvents|sqs\.SendMessage|lambda\.|codebuild\.StartBuild|s3\.Put)/.test(name),
    ),
  );

describe("shiplog replay beside a running engine", () => {
  it("goes unnoticed: what is live stays, a deployment under way arrives, nobody is told anything", async () => {
    const data = `${world.folder}/data`;
    const first = await world.live(ENVIRONMENT);
    await until("quiet", async () => {
      const before = JSON.stringify(others());
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return JSON.stringify(others()) === before;
    });
    const told = others();
    const rebuilt = await runCli(["--data", data, "--json", "replay", "all"]);
    expect(rebuilt.code).toBe(0);
    expect(others()).toEqual(told);
    expect((await world.api.environment("web", ENVIRONMENT)).live?.deploymentId).toBe(first);

    const again = startCli(["--data", data, "--json", "replay", "all"]);
    const second = await world.live(ENVIRONMENT);
    expect((await again.finished).code).toBe(0);
    expect((await world.api.environment("web", ENVIRONMENT)).live?.deploymentId).toBe(second);
    expect((await world.api.get("deployments?site=web&environment=production&limit=5")).body.deployments).toHaveLength(2);
    const verified = await runCli(["--data", data, "--json", "replay", "all", "--verify"]);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({ rows: 3, differences: [] });
  });
});
