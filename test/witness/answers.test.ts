import { ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { siteResources } from "../../blueprint/sites.ts";
import { REGION } from "../../local/http.ts";
import { type PartsWorld, startPartsWorld } from "../support/parts-world.ts";
import { until } from "../support/until.ts";
import { pythonMissing, runPython } from "./support/python.ts";

/** A witness that we did not write: botocore's clients, whose parsers are made of AWS's models, ask the local AWS of an engine that has deployed. */
let missing: string | undefined;
let world: PartsWorld;
beforeAll(async () => {
  missing = await pythonMissing("botocore");
  if (missing !== undefined) return;
  world = await startPartsWorld({ environments: ["production"] });
  await world.start();
  const { id } = await world.api.deploy("web", "production", await world.api.upload("web", `${world.folder}/app`));
  await until("it to be live", async () => (await world.api.deployment(id)).status === "success");
});
afterAll(async () => world?.close());

type Asked = {
  readonly answers: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly looked: number;
  readonly unreadable: readonly string[];
  readonly problems: readonly string[];
};
const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, one) => all + one, 0);

it("the local AWS answers and refuses as AWS's models say", async ({ skip }) => {
  if (missing !== undefined) return skip(missing);
  const { endpoint, clients } = world.aws;
  const { project: projectName } = siteResources("web", "production");
  const { ids: [build] = [] } = await clients.codeBuild.send(new ListBuildsForProjectCommand({ projectName }));
  const { accessKeyId: key, secretAccessKey: secret } = endpoint.credentials;
  const place = JSON.stringify({ endpoint: endpoint.url, key, secret, region: REGION, project: projectName, build });
  const asked = await runPython<Asked>("ask_everything.py", [], place);
  console.log(
    `${sum(asked.answers)} answers of ${Object.keys(asked.answers).length} operations, ${sum(asked.refusals)} refusals, ${asked.looked} constraints`,
  );
  expect(asked.problems).toEqual([]);
  expect(asked.unreadable).toEqual([]);
  expect(Object.keys(asked.answers).length).toBeGreaterThan(70);
  expect(sum(asked.refusals)).toBeGreaterThan(35);
});
