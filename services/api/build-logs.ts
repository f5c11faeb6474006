import { Hono } from "hono";
import { NextLogs } from "../../client/contract.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** `/v1/deployments/:id/logs`: what the build wrote. */
export const buildLogs = (ports: Pick<Ports, "config" | "read" | "views" | "builds" | "buildLogs">) => {
  const see = look(ports);

  return new Hono<Env>().get("/:id/logs", async (context) => {
    const deployment = await see.deployment(await see.deploymentId(context.req.param("id")));
    const ended = hasBuilt(deployment);
    const place = await placeOf(deployment);
    if (place === null) return context.json({ lines: [], next: null, done: ended });

    const { next: asked } = queryOf(context, NextLogs);
    const page = await ports.buildLogs.read(place, asked);
    if (page === "invalid-token")
      throw new Problem(
        400,
        "query.invalid",
        'The request is not valid. "next": must be the "next" of an earlier answer; leave it out to read from the start.',
      );
    const { lines, next } = page;
    // the same token again: nothing more is there now
    return context.json({ lines, next, done: ended && lines.length === 0 && (next === null || next === asked) });
  });

  /** A build names its log only once it runs; the event that it began may be older than that. */
  async function placeOf({ logs, buildId }: DeploymentView): Promise<{ group: string; stream: string } | null> {
    const colon = logs?.indexOf(":") ?? -1;
    if (logs !== null && colon > 0) return { group: logs.slice(0, colon), stream: logs.slice(colon + 1) };
    if (buildId === null) return null;
    const [build] = await ports.builds.get([buildId]);
    return build?.logs ?? null;
  }
};

const hasBuilt = ({ status }: DeploymentView): boolean => !["queued", "building", "cancelling"].includes(status);
