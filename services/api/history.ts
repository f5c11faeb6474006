import { Hono } from "hono";
import { AtMoment } from "../../client/contract.ts";
import { liveAmong, whyLive } from "../../domain/projections/why.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import { momentOf } from "./moment.ts";
import { past } from "./past.ts";
import type { Ports } from "./ports.ts";

/** Later than anything: what is asked without a moment is asked about now. */
const NOW = "9".repeat(15);

/** `/v1/environments/:site/:environment/why` */
export const history = (ports: Pick<Ports, "config" | "read" | "readBack" | "views">) => {
  const see = look(ports);
  const then = past(ports);
  return new Hono<Env>().get("/:site/:environment/why", async (context) => {
    const { at } = queryOf(context, AtMoment);
    const place = see.place(context.req.param("site"), context.req.param("environment"));
    const events = await then.sinceAsked(place, at === undefined ? NOW : momentOf("at", at));
    const live = liveAmong(events);
    if (live === undefined) return context.json({ deployment: null, because: [] });
    const { deploymentId } = live.body;
    return context.json({ deployment: deploymentId, because: whyLive(events, await then.deploymentEvents(deploymentId, live.position)) });
  });
};
