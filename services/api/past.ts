import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { readKnown } from "../../domain/aggregates.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import type { DeploymentView, Status } from "../../domain/projections/views.ts";
import { unbroken, unbrokenBack } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { commitsBack } from "../../engine/log/read-back.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import type { Waypoints } from "../../engine/views/waypoint-notes.ts";
import { environmentPast } from "./environment-past.ts";
import { declaredOf, type EnvironmentOf } from "./look.ts";
import type { Ports } from "./ports.ts";

type Place = Pick<SiteConfig, "site" | "environment">;
type Happened = Recorded<EnvironmentEvent>;
type WentLive = Extract<EnvironmentEvent, { readonly type: "ReleaseWentLive" }>["body"];

/** The past, read from the log: what was so at a moment, and why. Of a stream whose chain breaks nothing is told. */
export const past = (ports: Pick<Ports, "read" | "readBack"> & { readonly views: Waypoints }) => {
  const read = unbroken(ports.read);
  const environments = environmentPast(ports);
  const until = async (stream: string, moment: string): Promise<Recorded[]> =>
    (await read(stream, 0)).flatMap(eventsOf).filter(({ position }) => position <= moment);
  const deploymentEvents = async (id: string, moment: string) => readKnown("deployment", await until(deploymentStream(id), moment));
  /** What had happened in an environment by then, newest first. */
  async function* environmentBack({ site, environment }: Place, moment: string): AsyncGenerator<Happened, undefined> {
    const stream = environmentStream(site, environment);
    for await (const commit of unbrokenBack(commitsBack(ports, stream, await environments.above(stream, moment))))
      if (commit.position <= moment) yield* readKnown("environment", eventsOf(commit)).toReversed();
    return undefined;
  }
  const deployment = async (id: string, moment: string): Promise<DeploymentView | undefined> =>
    foldRow("deployments", undefined, await until(deploymentStream(id), moment));

  return {
    deploymentEvents,
    /** What had happened in an environment since what was live then was asked for, oldest first; all of it where nothing was. */
    sinceAsked: async (place: Place, moment: string): Promise<Happened[]> => {
      const events: Happened[] = [];
      let live: WentLive | undefined;
      for await (const event of environmentBack(place, moment)) {
        events.push(event);
        if (event.type === "ReleaseWentLive") live ??= event.body;
        if (live !== undefined && asksFor(event, live)) break;
      }
      return events.reverse();
    },
    /** `undefined` where it did not exist yet. */
    deployment,
    environment: async (place: SiteConfig, moment: string): Promise<EnvironmentOf> => {
      const view = await environments.upTo(environmentStream(place.site, place.environment), behind(moment));
      return { ...view, ...declaredOf(place) };
    },
    /** Those that had been admitted by then, as they were, newest first. */
    deployments: async (place: SiteConfig, moment: string, status: Status | undefined, limit: number): Promise<DeploymentView[]> => {
      const found: DeploymentView[] = [];
      for await (const { type, body } of environmentBack(place, moment)) {
        if (type !== "DeploymentAdmitted") continue;
        const view = await deployment(body.deploymentId, moment);
        if (view !== undefined && (status === undefined || view.status === status)) found.push(view);
        if (found.length === limit) break;
      }
      return found;
    },
  };
};

/** What sorts after everything at a position. */
const behind = (position: string): string => `${position}~`;

/** A rollback and a restore begin with their flip; a deployment may have waited, before its own was asked for. */
const asksFor = ({ type, body }: Happened, { sequence, deploymentId, reason }: WentLive): boolean =>
  reason === "deploy"
    ? type === "DeploymentAdmitted" && body.deploymentId === deploymentId
    : type === "FlipRequested" && body.sequence === sequence;
