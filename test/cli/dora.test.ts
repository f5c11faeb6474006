import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definitions } from "../../domain/projections/dora-figures.ts";
import { type AuditedPast, startAuditedPast } from "../support/audited-past.ts";
import { runCli } from "./support/run-cli.ts";

let past: AuditedPast;
beforeAll(async () => {
  past = await startAuditedPast();
}, 60_000);
afterAll(() => past.close());

const cli = (...words: string[]) => runCli(words, { env: past.env });

describe("shiplog dora", () => {
  it("is a table: each figure with its value, its sample and its definition, then what was rolled back", async () => {
    const { code, out, err } = await cli("dora");
    expect(code).toBe(0);
    expect(err).toMatch(
      /^all sites\/all environments, \S+ \S+Z to \S+ \S+Z \(30 days\)\nWhat each figure counts, with its events: {2}shiplog dora --json\n$/,
    );
    const [head, frequency, lead, failures, restore, empty, columns, failed, ...more] = out.split("\n");
    expect(head).toMatch(/^FIGURE +VALUE +SAMPLE +DEFINITION$/);
    expect(frequency).toMatch(/^deployment frequency +2 a month +2 deployments +How often /);
    expect(lead).toMatch(
      /^lead time for changes +median 2h 01m, p90 2h 01m +1 of 2 deployments +From .+ Left out: 1 commit was live there before\.$/,
    );
    expect(failures).toMatch(/^change failure rate +50 % +1 of 2 deployments +The share /);
    expect(restore).toMatch(/^time to restore +median 1m \d\ds +1 rollback +Of those /);
    for (const definition of Object.values(definitions)) expect(out).toContain(definition);
    expect(empty).toBe("");
    expect(columns).toMatch(/^ROLLED BACK +WHERE +WENT LIVE +AFTER +TO +BY$/);
    expect(failed).toMatch(
      new RegExp(`^${past.ids.second} +web/production +\\S+ \\S+Z +1m \\d\\ds +${past.ids.first} +carol \\(token ci\\)$`),
    );
    expect(more).toEqual([""]);
  });

  it("prints the API's answer with --json, of the place and period that were asked for", async () => {
    const { firstLive, rolledBack } = past.at;
    const answer = (await past.ask("GET", `dora?site=web&environment=production&since=${firstLive}&until=${rolledBack}`)).body;
    expect(answer.deploymentFrequency.sample).toBe(1);
    for (const words of [["web/production"], ["--site", "web", "--env", "production"]])
      expect(JSON.parse((await cli("dora", ...words, "--since", firstLive, "--until", rolledBack, "--json")).out)).toEqual(answer);
  });

  it("says where nothing went live, and what to ask instead", async () => {
    const { code, out, err } = await cli("dora", "docs");
    expect(code).toBe(0);
    expect(out).toMatch(
      /deployment frequency +0 a day +0 deployments[\s\S]*lead time for changes +- +0 of 0 deployments[\s\S]*change failure rate +- +0 of 0[\s\S]*time to restore +- +0 rollbacks/,
    );
    expect(err).toContain("No deployment went live in this period. Look further back:  shiplog dora --since 90d");
  });

  it.each([
    [["--since", "500d"], "400 days at most"],
    [["nowhere"], "There is no environment nowhere/*"],
    [["web/production", "--site", "web"], "both say where"],
    [["--since", "yesterday"], "--since"],
  ])("is refused for %j", async (words, why) => {
    const { code, out, err } = await cli("dora", ...words);
    expect([code, out, err]).toEqual([2, "", expect.stringContaining(why)]);
  });
});
