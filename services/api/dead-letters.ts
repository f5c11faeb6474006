import { Hono } from "hono";
import { EmptyDeadLetters } from "../../client/contract.ts";
import { EmptiedBefore } from "../../engine/aws/site-dead-letters.ts";
import { bodyOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** `/v1/dead-letters`: what no consumer could take and what no site could confirm, and emptying the latter. */
export const deadLetters = (ports: Ports) => {
  const see = look(ports);
  return new Hono<Env>()
    .get("/", async (context) => context.json(await ports.deadLetters.list()))
    .post("/empty", async (context) => {
      const { site, environment } = await bodyOf(context, EmptyDeadLetters);
      const place = see.place(site, environment);
      const emptied = await ports.deadLetters.empty(place.site, place.environment).catch((error: Error) => {
        if (!(error instanceof EmptiedBefore)) throw error;
        throw new Problem(409, "dead-letters.emptying", `Not again yet: ${error.message}, which takes a minute.`);
      });
      ports.report({
        level: "info",
        message: "dead letters of a site were emptied",
        site,
        environment,
        emptied,
        by: context.get("caller").actor,
      });
      return context.json({ emptied });
    });
};
