import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { type DeploymentEvent, deploymentEventTypes, readDeploymentEvent } from "../../domain/deployment/events.ts";
import { type EnvironmentEvent, environmentEventTypes, readEnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { projectDeployment } from "../../domain/projections/deployment-view.ts";
import { emptyEnvironment, projectEnvironment } from "../../domain/projections/environment-view.ts";
import type { DeploymentView, EnvironmentView, Status } from "../../domain/projections/views.ts";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import type { Ports } from "./ports.ts";

/** The past, read from the log: what was so at a moment, and why. Of a stream whose chain breaks nothing is told. */
export const past = (ports: Pick<Ports, "read">) => {
  const read = unbroken(ports.read);
  const until = async (stream: string, moment: string, types: readonly string[]): Promise<Recorded[]> =>
    (await read(stream, 0)).flatMap(eventsOf).filter(({ type, position }) => position <= moment && types.includes(type));
  const deploymentEvents = async (id: string, moment: string) =>
    (await until(deploymentStream(id), moment, deploymentEventTypes)).map(
      (event) => ({ ...event, ...readDeploymentEvent(event) }) as Recorded<DeploymentEvent>,
    );
  const environmentEvents = async ({ site, environment }: Pick<SiteConfig, "site" | "environment">, moment: string) =>
    (await until(environmentStream(site, environment), moment, environmentEventTypes)).map(
      (event) => ({ ...event, ...readEnvironmentEvent(event) }) as Recorded<EnvironmentEvent>,
    );

  return {
    deploymentEvents,
    environmentEvents,
    /** `undefined` where it did not exist yet. */
    deployment: async (id: string, moment: string): Promise<DeploymentView | undefined> => {
      let view: DeploymentView | undefined;
      for (const event of await deploymentEvents(id, moment)) view = projectDeployment(view, event);
      return view;
    },
    environment: async (place: SiteConfig, moment: string): Promise<EnvironmentView & { url: string }> => {
      let view = emptyEnvironment(place.site, place.environment);
      for (const event of await environmentEvents(place, moment)) view = projectEnvironment(view, event);
      return { ...view, url: place.url };
    },
    /** Those that had been admitted by then, as they were, newest first. */
    deployments: async (place: SiteConfig, moment: string, status: Status | undefined, limit: number): Promise<DeploymentView[]> => {
      const admitted = (await environmentEvents(place, moment)).flatMap((event) =>
        event.type === "DeploymentAdmitted" ? [event.body.deploymentId] : [],
      );
      const found: DeploymentView[] = [];
      for (const id of admitted.reverse()) {
        if (found.length === limit) break;
        let view: DeploymentView | undefined;
        for (const event of await deploymentEvents(id, moment)) view = projectDeployment(view, event);
        if (view !== undefined && (status === undefined || view.status === status)) found.push(view);
      }
      return found;
    },
  };
};
