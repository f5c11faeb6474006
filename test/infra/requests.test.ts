import { beforeAll, expect, it } from "vitest";
import { botocoreMissing } from "../witness/support/python.ts";
import { checkRequests } from "../witness/support/requests.ts";
import { requestsOf } from "../witness/support/requests-of-template.ts";
import { templateOf } from "./support/cloudformation.ts";
import { changed, type Graph, graphOf, one, stages } from "./support/graph.ts";

/** A witness that we did not write: AWS's models of its interfaces, for what would be asked of them to make the graph. */
let missing: string | undefined;
beforeAll(async () => {
  missing = await botocoreMissing();
});
const problemsOf = async (graph: Graph) => checkRequests(requestsOf(templateOf(graph).template));

it.for(stages)("what would make the resources of the stage %s is what AWS's models allow", async (stage, { skip }) => {
  if (missing !== undefined) return skip(missing);
  const { requests, operations, problems } = await problemsOf(graphOf(stage));
  console.log(`${requests} requests of ${Object.keys(operations).length} operations`);
  expect(problems).toEqual([]);
  expect(requests).toBeGreaterThan(80);
});

it("a build on a machine that there is not, and a page that is forwarded in no known way, are named", async ({ skip }) => {
  if (missing !== undefined) return skip(missing);
  const graph = graphOf("production");
  const [project, cdn] = [anyOf(graph, "project"), anyOf(graph, "distribution")];
  const build = changed(graph, "project", project, (inputs) => ({
    inputs: { ...inputs, environment: { ...inputs.environment, computeType: "BUILD_GENERAL1_TINY" } },
  }));
  const both = changed(build, "distribution", cdn, (inputs) => ({
    inputs: { ...inputs, defaultCacheBehavior: { ...inputs.defaultCacheBehavior, viewerProtocolPolicy: "https" } },
  }));
  expect((await problemsOf(both)).problems).toEqual(
    [
      expect.stringContaining(
        `${cdn}: cloudfront:CreateDistribution.DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy: 'https' is none of`,
      ),
      expect.stringContaining(`${project}: codebuild:CreateProject.environment.computeType: 'BUILD_GENERAL1_TINY' is none of`),
    ].toSorted(),
  );
});

/** The name, in the code, of the first of a kind. */
const anyOf = (graph: Graph, kind: "project" | "distribution"): string => {
  const [first] = graph.resources.filter(({ type, kind: how }) => how === "registerResource" && type.includes(`/${kind}:`));
  return one(graph, kind, first?.name ?? "").name;
};
