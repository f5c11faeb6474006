import { ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { REGION } from "../../local/http.ts";
import { type PartsWorld, startPartsWorld } from "../support/parts-world.ts";
import { until } from "../support/until.ts";
import { botocoreMissing, runPython } from "./support/python.ts";

/** A witness that we did not write: botocore's clients, whose parsers are made of AWS's models, ask the local AWS of an engine that has deployed. */
let missing: string | undefined;
let world: PartsWorld;
beforeAll(async () => {
  missing = await botocoreMissing();
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

const EVERYTHING = ["functions", "queues", "objects", "tables", "events", "secrets_and_keys", "builds_and_the_edge"];
const ask = async (about: readonly string[]): Promise<Asked> => {
  const { endpoint, clients } = world.aws;
  const { project: projectName } = siteResources("web", "production");
  const { ids: [build] = [] } = await clients.codeBuild.send(new ListBuildsForProjectCommand({ projectName }));
  const { accessKeyId: key, secretAccessKey: secret } = endpoint.credentials;
  const place = { endpoint: endpoint.url, key, secret, region: REGION, project: projectName, build, about };
  return runPython<Asked>("ask_everything.py", [], JSON.stringify(place));
};

it("the local AWS answers and refuses as AWS's models say", async ({ skip }) => {
  if (missing !== undefined) return skip(missing);
  const asked = await ask(EVERYTHING);
  console.log(
    `${sum(asked.answers)} answers of ${Object.keys(asked.answers).length} operations, ${sum(asked.refusals)} refusals, ${asked.looked} constraints`,
  );
  expect(asked.problems).toEqual([]);
  expect(asked.unreadable).toEqual([]);
  expect(Object.keys(asked.answers).length).toBeGreaterThan(70);
  expect(sum(asked.refusals)).toBeGreaterThan(35);
});

it("what an answer has too much, null or of another shape is named, and so is a refusal of another status", async ({ skip }) => {
  if (missing !== undefined) return skip(missing);
  const { endpoint, lambda } = world.aws;
  endpoint.mount("lambda", async (request) => {
    const answer = await lambda.handle(request);
    if (request.path.endsWith("/aliases/none")) return { ...answer, status: 400 };
    if (request.method !== "GET" || !request.path.endsWith("/witness/aliases/live")) return answer;
    const alias = { ...JSON.parse(String(answer.body)), FunctionVersion: "one", Description: null, Weight: 1 };
    return { ...answer, body: JSON.stringify(alias) };
  });
  const { problems } = await ask(["functions"]);
  endpoint.mount("lambda", lambda.handle);
  expect(problems).toEqual([
    "GetAlias was refused with ResourceNotFoundException and 400, and the model has 404",
    "GetAlias.Description is null, where AWS leaves it out",
    "GetAlias.Weight is not in the model",
    expect.stringMatching(/^lambda:GetAlias.FunctionVersion: 'one' does not match/),
  ]);
});
