import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { project } from "../../services/project/project.ts";
import { type ApiRoom, openApiRoom, TOKEN } from "../support/api-room.ts";
import { deploymentId, request } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";

const SITES = ["web", "docs"];
const ALL = 7;
let room: ApiRoom;
const because = (cause: string) => ({ cause, correlation: cause, actor: "test" });
const projected = async (stream: string): Promise<void> => {
  const { length: version } = await room.engine.store.read(stream, 0);
  await project({ read: room.engine.store.read, views: room.engine.views })({ stream, version });
};
/** The nth deployment: of the two sites by turns; each third has ended. */
const deploy = async (n: number): Promise<void> => {
  const id = deploymentId(n);
  const site = SITES[n % 2] as string;
  const give = (command: Parameters<typeof room.engine.aggregates.deployment.execute>[1]) =>
    room.engine.aggregates.deployment.execute(id, command, because(`${id}/${command.type}`));
  await give({ type: "QueueDeployment", sequence: n, request: { ...request(n), site } });
  if (n % 3 === 0) {
    await give({ type: "RequestCancel" });
    await give({ type: "RecordBuildStopped", buildId: null, reason: "none" });
  }
  await projected(deploymentStream(id));
};
beforeAll(async () => {
  room = await openApiRoom({ sites: SITES.map((site) => siteConfigOf(site, "production")) });
  for (let n = 1; n <= ALL; n++) await deploy(n);
}, 60_000);
afterAll(() => room.close());

const ids = (...numbers: readonly number[]): string[] => numbers.map(deploymentId);
const listed = async (query: string): Promise<string[]> =>
  (await room.ask("GET", `/deployments${query}`)).body.deployments.map(({ id }: { id: string }) => id);

describe("the newest deployments of all places", () => {
  it("are those, the newest first, whether they have ended or not", async () => {
    expect(await listed("")).toEqual(ids(7, 6, 5, 4, 3, 2, 1));
    expect(await listed("?limit=3")).toEqual(ids(7, 6, 5));
  });

  it("are as many as was asked for, though between them are some of places that are declared no more", async () => {
    const ports = apiPorts(room.engine);
    const less = createApi({ ...ports, config: { ...ports.config, sites: ports.config.sites.filter(({ site }) => site === "docs") } });
    const answer = await less.request("/v1/deployments?limit=3", { headers: { authorization: `Bearer ${TOKEN}` } });
    const { deployments } = (await answer.json()) as { deployments: { id: string }[] };
    expect(deployments.map(({ id }) => id)).toEqual(ids(7, 5, 3));
  });

  it("are of one place where that is said", async () => {
    expect(await listed("?site=web")).toEqual(ids(6, 4, 2));
  });
});

describe("deployments by their ids", () => {
  it("are those that there are, each once", async () => {
    expect(await listed(`?ids=${[...ids(2, 5, 2), deploymentId(99)].join(",")}`)).toEqual(ids(5, 2));
  });
  it.each([
    ["no id", "?ids=web"],
    ["too many", `?ids=${Array.from({ length: 101 }, (_, n) => deploymentId(n)).join(",")}`],
  ])("are refused: %s", async (_, query) => {
    expect((await room.ask("GET", `/deployments${query}`)).body.error.code).toBe("query.invalid");
  });
});

it("environments are listed as their rows have them, and those without a row, too", async () => {
  await room.ask("POST", "/environments/docs/production/pin", { reason: "an audit" });
  await projected(environmentStream("docs", "production"));
  const { environments } = (await room.ask("GET", "/environments")).body;
  expect(environments).toMatchObject([
    { site: "web", pin: null, live: null, url: "https://web.example.com" },
    { site: "docs", pin: { reason: "an audit" }, url: "https://docs.example.com" },
  ]);
});
