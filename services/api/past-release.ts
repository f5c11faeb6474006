import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { readKnown } from "../../domain/aggregates.ts";
import type { EverLive } from "../../domain/environment/state.ts";
import { deploymentStream } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import type { Ports } from "./ports.ts";

/**
 * A release as it went live, by its deployment's own stream: an environment remembers only the last that were live there.
 *
 * @param deploymentId the full id
 * @returns `undefined` where the environment remembers it, or where it never went live there
 */
export const pastRelease = async (
  { aggregates, read }: Pick<Ports, "aggregates" | "read">,
  { site, environment }: SiteConfig,
  deploymentId: string,
): Promise<EverLive | undefined> => {
  const { state } = await aggregates.environment.load(site, environment);
  if (state.everLive.has(deploymentId)) return undefined;
  const events = readKnown("deployment", (await read(deploymentStream(deploymentId), 0)).flatMap(eventsOf));
  let isHere = false;
  let release: EverLive["release"] | undefined;
  let sequence: number | undefined;
  for (const { type, body } of events) {
    if (type === "DeploymentQueued") isHere = body.request.site === site && body.request.environment === environment;
    if (type === "ChecksPassed") ({ release } = body);
    if (type === "DeploymentSucceeded") ({ sequence } = body);
  }
  return isHere && release !== undefined && sequence !== undefined ? { deploymentId, sequence, release } : undefined;
};
