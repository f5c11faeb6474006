import { Hono } from "hono";
import { EmptyDeadLetters } from "../../client/contract.ts";
import type { LetterDecision } from "../../domain/projections/letter-decision.ts";
import { EmptiedBefore } from "../../engine/aws/site-dead-letters.ts";
import { each } from "../../engine/kit/each.ts";
import { bodyOf } from "./body.ts";
import { actorIn, type Env } from "./caller.ts";
import { pastOf } from "./dead-letter.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** Streams of letters that are read at the same time. */
const READERS = 20;

/** `/v1/dead-letters`: what no consumer could take and what no site could confirm, and emptying the latter. */
export const deadLetters = (ports: Ports) => {
  const see = look(ports);
  const past = pastOf(ports);
  return new Hono<Env>()
    .get("/", async (context) => {
      const { letters, unread } = await ports.deadLetters.list();
      const decided = new Map<string, LetterDecision | null>();
      // who was cut off leaves a letter of which the log says that it is gone
      await each(letters, READERS, async ({ messageId }) => void decided.set(messageId, (await past(messageId))?.decided ?? null));
      return context.json({ letters: letters.map((letter) => ({ ...letter, decided: decided.get(letter.messageId) ?? null })), unread });
    })
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
        by: await actorIn(context),
      });
      return context.json({ emptied });
    });
};
