import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { readKnown } from "../../domain/aggregates.ts";
import type { PastRelease } from "../../domain/environment/state.ts";
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
): Promise<PastRelease | undefined> => {
  const { state } = await aggregates.environment.load(site, environment);
  if (state.everLive.has(deploymentId)) return undefined;
  const events = readKnown("deployment", (await read(deploymentStream(deploymentId), 0)).flatMap(eventsOf));
  let isHere = false;
  let release: PastRelease["release"] | undefined;
  let sequence: number | undefined;
  let swept: PastRelease["swept"];
  for (const { type, body, at } of events) {
    if (type === "DeploymentQueued") isHere = body.request.site === site && body.request.environment === environment;
    if (type === "ChecksPassed") ({ release } = body);
    if (type === "DeploymentSucceeded") ({ sequence } = body);
    if (type === "ReleaseSwept") swept = { at, rule: body.rule, keep: body.keep };
  }
  if (!isHere || release === undefined || sequence === undefined) return undefined;
  return { deploymentId, sequence, release, ...(swept && { swept }) };
};
