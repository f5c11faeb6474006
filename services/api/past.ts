import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { readKnown } from "../../domain/aggregates.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { emptyEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView, Status } from "../../domain/projections/views.ts";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { declaredOf, type EnvironmentOf } from "./look.ts";
import type { Ports } from "./ports.ts";

/** The past, read from the log: what was so at a moment, and why. Of a stream whose chain breaks nothing is told. */
export const past = (ports: Pick<Ports, "read">) => {
  const read = unbroken(ports.read);
  const until = async (stream: string, moment: string): Promise<Recorded[]> =>
    (await read(stream, 0)).flatMap(eventsOf).filter(({ position }) => position <= moment);
  const deploymentEvents = async (id: string, moment: string) => readKnown("deployment", await until(deploymentStream(id), moment));
  const environmentEvents = async ({ site, environment }: Pick<SiteConfig, "site" | "environment">, moment: string) =>
    readKnown("environment", await until(environmentStream(site, environment), moment));
  const deployment = async (id: string, moment: string): Promise<DeploymentView | undefined> =>
    foldRow("deployments", undefined, await until(deploymentStream(id), moment));

  return {
    deploymentEvents,
    environmentEvents,
    /** `undefined` where it did not exist yet. */
    deployment,
    environment: async (place: SiteConfig, moment: string): Promise<EnvironmentOf> => {
      const empty = emptyEnvironment(place.site, place.environment);
      const events = await until(environmentStream(place.site, place.environment), moment);
      return { ...(foldRow("environments", empty, events) ?? empty), ...declaredOf(place) };
    },
    /** Those that had been admitted by then, as they were, newest first. */
    deployments: async (place: SiteConfig, moment: string, status: Status | undefined, limit: number): Promise<DeploymentView[]> => {
      const admitted = (await environmentEvents(place, moment)).flatMap((event) =>
        event.type === "DeploymentAdmitted" ? [event.body.deploymentId] : [],
      );
      const found: DeploymentView[] = [];
      for (const id of admitted.reverse()) {
        if (found.length === limit) break;
        const view = await deployment(id, moment);
        if (view !== undefined && (status === undefined || view.status === status)) found.push(view);
      }
      return found;
    },
  };
};
