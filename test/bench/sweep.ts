import { PutObjectCommand } from "@aws-sdk/client-s3";
import { SNAPSHOTS_TABLE } from "../../blueprint/topology.ts";
import { environment } from "../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { fold } from "../../domain/kernel/decider.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import { NEWEST } from "../../engine/log/read-back.ts";
import { snapshotTable } from "../../engine/log/snapshots.ts";
import { textOfState } from "../../engine/log/state-text.ts";
import { manifestKey } from "../../engine/open-next/manifest.ts";
import { placeOf } from "../../engine/sweep/place.ts";
import { planOf } from "../../engine/sweep/plan.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { localNames } from "../../local/provision/engine-resources.ts";
import { sweep } from "../../services/sweep/sweep.ts";
import { deploymentId } from "../support/samples.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { deploymentHistory, environmentHistory } from "./histories.ts";
import { type Cost, counting, writeCommits } from "./long-past.ts";
import type { Line } from "./report.ts";
import { withStore } from "./room.ts";

const DEPLOYMENTS = [10, 100, 1_000, 10_000];
const COMMITS = 7;
/** What a sweep has left there: by the usual rules, those that were live last. */
const THERE = 10;
const LOOKS = 10;
const STREAM = environmentStream("web", "production");

/**
 * What a sweep itself costs after ten deployments and after ten thousand of which ten are there still: a look at everything that lies
 * in the environment's places, as the first message of a day makes it, and the hourly message of the rest of the day. Lambda answers
 * at once that there is nothing; its calls do not grow with the past.
 */
export const sweeping = async (): Promise<readonly Line[]> => {
  const costs: Measured[] = [];
  for (const deployments of DEPLOYMENTS) costs.push(await after(deployments));
  const ratio = (of: (cost: Measured) => number): number => of(costs.at(-1) as Measured) / of(costs[0] as Measured);
  return [
    ...costs.flatMap(({ deployments, look, hourly }) => [
      line(`a look, ${deployments.toLocaleString("en")} deployments, ${THERE} there`, look),
      line(`an hourly message, ${deployments.toLocaleString("en")} deployments`, hourly),
    ]),
    goal(
      "read units of a look, 10,000 ÷ 10 deployments",
      ratio(({ look }) => look.units),
    ),
    goal(
      "read units of an hourly message, 10,000 ÷ 10 deployments",
      ratio(({ hourly }) => hourly.units),
    ),
  ];
};

type Measured = { readonly deployments: number; readonly look: Cost; readonly hourly: Cost };

/** All of them months ago. */
const after = (deployments: number): Promise<Measured> =>
  withStore(async ({ clients, table, store }) => {
    const counted = counting(clients.dynamodb);
    const declared = siteConfigOf("web", "production");
    const config = { ...localNames, sites: [declared], tokens: {} };
    const place = placeOf(config, declared);
    const whole = engine(config, clients, systemClock, (line) => console.error(JSON.stringify(line)));
    const nothing = { aliases: async () => [], versions: async () => [], now: systemClock.now };
    const ports = { ...whole, ...nothing, ...whole.rows, place: () => place };
    const events = environmentHistory(deployments * COMMITS);
    await writeCommits(clients.dynamodb, table, STREAM, undefined, events);
    const there = lastLive(events);
    for (const number of there)
      await writeCommits(clients.dynamodb, table, deploymentStream(deploymentId(number)), undefined, deploymentHistory(number));
    await putManifests(clients, place, there);
    // as if it had had snapshots from its beginning
    const [last] = await store.readBack(STREAM, NEWEST, 1);
    const state = textOfState(fold(environment, events));
    await snapshotTable(clients.dynamodb, SNAPSHOTS_TABLE).write(STREAM, environment.shape, {
      version: events.length,
      hash: last?.hash ?? "",
      state,
    });
    const look = await counted(LOOKS, async () => {
      const { judged, things, strangers } = await planOf(ports, place);
      if (judged.length !== THERE || things.length + strangers.length > 0) throw new Error("what is there is not what was put there");
    });
    await ports.noteSettled(`swept/${STREAM}`, new Date().toISOString(), Date.now());
    const hourly = await counted(LOOKS, () => sweep(ports)({ site: "web", environment: "production" }, { last: false }));
    return { deployments, look, hourly };
  });

const line = (what: string, { ms, units, requests }: Cost): Line => ({
  bench: "sweep",
  what,
  value: ms,
  unit: "ms",
  note: `${units.toLocaleString("en")} read units, ${requests} requests to DynamoDB`,
});

const goal = (what: string, value: number): Line => ({ bench: "sweep", what, value, unit: "×", target: { is: "at most", value: 1.1 } });

/** Numbers of the deployments that were live last, each once. */
const lastLive = (events: readonly EnvironmentEvent[]): number[] => {
  const numbers = new Map(events.map((_, n) => [deploymentId(n + 1), n + 1]));
  const ids = new Set<string>();
  for (const event of events.toReversed()) {
    if (event.type === "ReleaseWentLive") ids.add(event.body.deploymentId);
    if (ids.size === THERE) break;
  }
  return [...ids].map((id) => numbers.get(id) ?? 0);
};

const putManifests = async ({ s3 }: Clients, { bucket, releases }: ReturnType<typeof placeOf>, numbers: readonly number[]) => {
  for (const number of numbers) {
    const id = deploymentId(number);
    const Body = JSON.stringify({ v: 2, deploymentId: id, releaseId: id, publicFiles: [], versioned: [] });
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(releases, id), Body }));
  }
};
