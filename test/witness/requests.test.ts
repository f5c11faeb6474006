import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionNames } from "../../blueprint/site-resources.ts";
import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { clientOptions } from "../../local/client-options.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { examine } from "../../operator/doctor/doctor.ts";
import { inspectAccount } from "../../operator/doctor/sight.ts";
import { replay } from "../../operator/replay/replay.ts";
import { wire } from "../../operator/replay/wiring.ts";
import { doEverythingOnce } from "../support/everything-once.ts";
import { type PartsWorld, startPartsWorld } from "../support/parts-world.ts";
import { startReceiver } from "../support/webhook-receiver.ts";
import { botocoreMissing, pythonMissing } from "./support/python.ts";
import { checkRequests, type Request, recordRequests } from "./support/requests.ts";

/** A witness that we did not write: AWS's models of its interfaces, as botocore has them. */
let missing: string | undefined;
beforeAll(async () => {
  missing = await botocoreMissing();
});

/** What a person does to an account from a command line: looking at all of it, and a rebuild. */
const examineAndReplay = async (clients: Clients, quotas: ServiceQuotasClient): Promise<void> => {
  const places = [{ site: "web", environment: "production", functions: functionNames("web", "production", { functions: {} }) }];
  const engine = {
    places,
    buckets: Object.values(BUCKETS),
    archive: BUCKETS.archive,
    runsIn: "lambda",
    make: "nothing",
    ...systemClock,
  } as const;
  for await (const { what } of examine(inspectAccount(clients, quotas), engine)) expect(what).not.toBe("");
  const names = { eventsTable: EVENTS_TABLE, viewsTable: VIEWS_TABLE, archive: BUCKETS.archive, sealKey: SEAL_KEY };
  const ports = wire(clients, names, { clock: systemClock, by: "the witness", tell: () => undefined });
  await replay(ports, { views: ["environments"], from: "segments" });
};

describe("the engine's requests", () => {
  const requests: Request[] = [];
  const record = (by: string, clients: Clients): void => recordRequests(by, clients, (request) => requests.push(request));
  let world: PartsWorld;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  beforeAll(async () => {
    if (missing !== undefined) return;
    world = await startPartsWorld({ environments: ["production"], variables: { API_URL: "https://api.example.com" }, prepare: record });
    receiver = await startReceiver();
    await world.start();
  });
  afterAll(async () => {
    await world?.close();
    await receiver?.close();
  });

  it("are what AWS's models allow, from a first deployment to a rebuild", async ({ skip }) => {
    if (missing !== undefined) return skip(missing);
    await doEverythingOnce(world, receiver);
    const clients = awsClients(clientOptions(world.aws.endpoint));
    const quotas = new ServiceQuotasClient(clientOptions(world.aws.endpoint));
    recordRequests("operator", { ...clients, quotas }, (request) => requests.push(request));
    await examineAndReplay(clients, quotas);
    clients.destroy();
    quotas.destroy();

    const checked = await checkRequests(requests);
    const { operations, looked } = checked;
    console.log(
      `${checked.requests} requests of ${Object.keys(operations).length} operations, ${looked} constraints: ${Object.keys(operations).join(" ")}`,
    );
    expect(checked.problems).toEqual([]);
    expect(checked.unreadable).toEqual([]);
    expect(Object.keys(operations).length).toBeGreaterThan(30);
    expect(looked).toBeGreaterThan(checked.requests);
  });
});

describe("AWS's models name", () => {
  const problemsOf = async (service: string, operation: string, input: Record<string, unknown>): Promise<readonly string[]> =>
    (await checkRequests([{ by: "nobody", service, operation, input }])).problems;
  const alias = { FunctionName: "f", Name: "live", FunctionVersion: "1" };

  it.for<[string, string, string, Record<string, unknown>, string]>([
    ["what is missing", "lambda", "UpdateAlias", { FunctionName: "f" }, 'Missing required parameter in input: "Name"'],
    ["what nobody knows", "lambda", "UpdateAlias", { ...alias, Weight: 1 }, 'Unknown parameter in input: "Weight"'],
    [
      "another type",
      "sqs",
      "SendMessage",
      { QueueUrl: "q", MessageBody: "m", DelaySeconds: "3" },
      "Invalid type for parameter DelaySeconds",
    ],
    ["what is too long", "lambda", "UpdateAlias", { ...alias, Description: "x".repeat(257) }, "257 is beyond the max of 256"],
    [
      "what is out of its range",
      "codebuild",
      "StartBuild",
      { projectName: "p", timeoutInMinutesOverride: 2_161 },
      "2161 is beyond the max of 2160",
    ],
    ["too many", "codebuild", "BatchGetBuilds", { ids: Array(101).fill("p:1") }, "101 is beyond the max of 100"],
    ["what does not match", "lambda", "UpdateAlias", { ...alias, FunctionVersion: "one" }, "'one' does not match"],
    [
      "what is none of its values",
      "kms",
      "Sign",
      { KeyId: "k", Message: { $bytes: 3 }, SigningAlgorithm: "ED25519" },
      "'ED25519' is none of",
    ],
    ["an operation that there is not", "lambda", "MoveAlias", {}, "lambda has no operation MoveAlias"],
  ])("%s", async ([_, service, operation, input, says], { skip }) => {
    if (missing !== undefined) return skip(missing);
    expect(await problemsOf(service, operation, input)).toEqual([expect.stringContaining(says)]);
  });

  it("nothing of a secret but that it is wrong", async ({ skip }) => {
    if (missing !== undefined) return skip(missing);
    const input = { Name: "n", SecretString: "x".repeat(65_537) };
    expect(await problemsOf("secretsmanager", "CreateSecret", input)).toEqual([expect.not.stringContaining("xxx")]);
  });
});

describe("a witness that is not there", () => {
  it("says what to install", async () => {
    expect(await pythonMissing("shiplog-knows-no-such-package", "1.0")).toMatch(/python3 is not installed|pip install shiplog-knows/);
  });
  it("says which version is needed where it is too old to know of what is used here", async ({ skip }) => {
    if (missing !== undefined) return skip(missing);
    expect(await pythonMissing("botocore", "999.1")).toMatch(/^python3 has botocore \d.*, and 999\.1 is needed: pip install -U botocore$/);
  });
});
