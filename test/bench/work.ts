import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import { startPartsWorld } from "../support/parts-world.ts";
import { until } from "../support/until.ts";
import { environmentHistory } from "./histories.ts";
import { settle } from "./long-log.ts";
import { writeCommits } from "./long-past.ts";
import { median } from "./measure.ts";
import type { Line } from "./report.ts";

const DEPLOYMENTS = [10, 100, 1_000, 10_000];
const COMMITS = 7;
const TIMES = 5;
const STREAM = environmentStream("web", "production");
/** Whose requests do not belong to one deployment. */
const TIMERS = new Set(["reconcile", "wake", "seal", "watch"]);

/**
 * What a whole deployment and a whole rollback read, by all functions together, in an environment that was deployed to ten times before,
 * and ten thousand times. The app is a few files, built in no time.
 */
export const work = async (tell: (line: string) => void): Promise<readonly Line[]> => {
  const costs: Measured[] = [];
  for (const deployments of DEPLOYMENTS) {
    costs.push(await after(deployments));
    tell(`${deployments} deployments: ${JSON.stringify(costs.at(-1))}`);
  }
  return [
    ...costs.flatMap(({ deployments, deploy, rollback }) => [
      line(`a deployment, after ${deployments.toLocaleString("en")}`, deploy),
      line(`a rollback, after ${deployments.toLocaleString("en")} deployments`, rollback),
    ]),
    ...(["deploy", "rollback"] as const).map(
      (what): Line => ({
        bench: "work",
        what: `read units of a ${what}, 10,000 ÷ 10 deployments before`,
        value: (costs.at(-1)?.[what].units ?? 0) / (costs[0]?.[what].units ?? 1),
        unit: "×",
        target: { is: "at most", value: 1.1 },
      }),
    ),
  ];
};

type Cost = { readonly ms: number; readonly units: number; readonly requests: number };
type Measured = { readonly deployments: number; readonly deploy: Cost; readonly rollback: Cost };

const after = async (deployments: number): Promise<Measured> => {
  const count = { units: 0, requests: 0 };
  const prepare = (name: string, { dynamodb }: { dynamodb: DynamoDBClient }): void => {
    if (!TIMERS.has(name)) watch(dynamodb, count);
  };
  const world = await startPartsWorld({ environments: ["production"], prepare });
  try {
    const engine = world.engineOf("watch");
    await writeCommits(engine.clients.dynamodb, EVENTS_TABLE, STREAM, undefined, environmentHistory(deployments * COMMITS));
    await settle(engine, "web", "production");
    await world.start(3_600_000);
    const source = await world.api.upload("web", `${world.folder}/app`);
    const deploy = async (): Promise<void> => {
      const { id } = await world.api.deploy("web", "production", source);
      await until(`${id} to be live`, async () => (await engine.aggregates.deployment.load(id)).state.status === "success", 300_000);
      await quiet(count);
    };
    const rollback = async (): Promise<void> => {
      const { sequence } = await world.api.rollback("web", "production");
      const isLive = async () => (await engine.aggregates.environment.load("web", "production")).state.live?.sequence === sequence;
      await until(`the rollback ${sequence} to be live`, isLive, 300_000);
      await world.api.change("web", "production", "unpin");
      await quiet(count);
    };
    // processes that have just begun, and the row of the environment, which has never been projected
    for (let n = 0; n < 2; n++) await deploy();
    // each rollback goes back by one: so many were deployed just now
    return { deployments, deploy: await measured(count, deploy), rollback: await measured(count, rollback) };
  } finally {
    await world.close();
  }
};

type Count = { units: number; requests: number };

/** Medians: now and then somebody takes a snapshot. */
const measured = async (count: Count, act: () => Promise<void>): Promise<Cost> => {
  const taken: Cost[] = [];
  for (let n = 0; n < TIMES; n++) {
    const [units, requests, began] = [count.units, count.requests, performance.now()];
    await act();
    taken.push({ ms: performance.now() - began, units: count.units - units, requests: count.requests - requests });
  }
  const middle = (of: (cost: Cost) => number): number => median(taken.map(of));
  return { ms: middle(({ ms }) => ms), units: middle(({ units }) => units), requests: middle(({ requests }) => requests) };
};

/** Until nobody asks for anything any more: what follows from it was done. */
const quiet = async (count: Count): Promise<void> => {
  let before = -1;
  await until(
    "all consumers to have done",
    async () => {
      const now = count.requests;
      const isQuiet = now === before;
      before = now;
      if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, 700));
      return isQuiet;
    },
    60_000,
  );
};

type Units = { readonly CapacityUnits?: number };

const watch = (client: DynamoDBClient, count: Count): void =>
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        (args.input as { ReturnConsumedCapacity?: string }).ReturnConsumedCapacity = "TOTAL";
        const result = await next(args);
        const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Units | Units[] };
        count.requests += 1;
        if (/^(Get|Query|BatchGet|Scan)/.test(commandName))
          for (const one of [ConsumedCapacity ?? []].flat()) count.units += one.CapacityUnits ?? 0;
        return result;
      },
    { step: "initialize", name: "counting" },
  );

const line = (what: string, { ms, units, requests }: Cost): Line => ({
  bench: "work",
  what,
  value: ms,
  unit: "ms",
  note: `${units.toLocaleString("en")} read units, ${requests} requests to DynamoDB`,
});
