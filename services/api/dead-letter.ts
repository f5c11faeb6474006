import { type Context, Hono } from "hono";
import { DropLetter, WithReason } from "../../client/contract.ts";
import { LetterId, letterStream } from "../../domain/kernel/identity.ts";
import { decidedOf } from "../../domain/projections/letter-decision.ts";
import { HELD_SECONDS, LOOKED_THROUGH } from "../../engine/aws/peek.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { bodyOf } from "./body.ts";
import { commandOf, type Env } from "./caller.ts";
import type { HeldLetter, Letter, Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

type Decided = NonNullable<ReturnType<typeof decidedOf>>;
/** Whoever died while holding a letter has let go of it by then, however the clocks differ. */
const LET_GO_MS = (HELD_SECONDS + 1) * 1_000;

/** What the log knows of a letter; `undefined` where nobody has decided anything of it. */
export const pastOf =
  ({ read }: Pick<Ports, "read">) =>
  async (id: string): Promise<Decided | undefined> =>
    LetterId.safeParse(id).success ? decidedOf((await read(letterStream(id), 0)).flatMap(eventsOf)) : undefined;

/** `/v1/dead-letters/:letter`: one letter, by its id or a unique beginning of it; sent again, or dropped. */
export const deadLetter = (ports: Ports) => {
  const past = pastOf(ports);
  const hold = holding(ports);
  const settle = settling(ports);
  return new Hono<Env>()
    .get("/:letter", async (context) => {
      const given = context.req.param("letter");
      const { letter, more } = await hold(given);
      if (letter === undefined) throw unknown(given, await past(given), more);
      await letter.giveBack();
      return context.json({ letter: { ...shown(letter), decided: (await past(letter.messageId))?.decided ?? null } });
    })
    .post("/:letter/redrive", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      return context.json({ letter: await settle(context, { what: "redriven", reason }) });
    })
    .post("/:letter/drop", async (context) => {
      const { reason } = await bodyOf(context, DropLetter);
      return context.json({ letter: await settle(context, { what: "dropped", reason }) });
    });
};

type Decision = { readonly what: "redriven"; readonly reason: string | undefined } | { readonly what: "dropped"; readonly reason: string };

/**
 * First the event, then the deed: what was sent or removed is in the log, always. A crash in between leaves the letter
 * where it is, with its decision shown beside it; whoever asks again finishes it. It may be sent twice by that, which
 * every consumer takes.
 */
const settling = (ports: Ports) => {
  const past = pastOf(ports);
  const hold = holding(ports);

  return async (context: Context<Env>, decision: Decision) => {
    const given = context.req.param("letter") ?? "";
    const because = await commandOf(context, ports.views);
    const { letter, more } = await hold(given, decision.what);
    if (letter === undefined) {
      const known = await past(given);
      if (known?.decided.what !== decision.what) throw unknown(given, known, more);
      return { messageId: given, ...known };
    }
    const { messageId, consumer, reason: failure } = letter;
    try {
      await ports.aggregates.letter.execute(messageId, commandFor(letter, decision), because);
      if (decision.what === "redriven") await letter.sendAgain();
      await letter.remove();
    } catch (error) {
      await letter.giveBack();
      throw error;
    }
    ports.report({ level: "info", message: `a dead letter was ${decision.what}`, consumer, messageId, reason: failure, by: because.actor });
    return { messageId, ...(await past(messageId)) };
  };
};

const commandFor = ({ consumer, reason: failure, about }: Letter, { what, reason }: Decision) => {
  const letter = { consumer, failure, about: about?.stream ?? null };
  return what === "dropped"
    ? ({ type: "DropLetter", ...letter, reason } as const)
    : ({ type: "RedriveLetter", ...letter, ...(reason !== undefined && { reason }) } as const);
};

/** Holds the one letter that is meant: nobody else is given it meanwhile. @throws Problem 409 `id.ambiguous` */
const holding = (ports: Ports) => {
  const { clock, deadLetters } = ports;
  const past = pastOf(ports);

  const one = async (given: string, afterMs = 0): Promise<{ letter: HeldLetter | undefined; more: readonly string[] }> => {
    const { letters, more } = await deadLetters.hold(given, { afterMs });
    if (letters.length < 2) return { letter: letters[0], more };
    await Promise.all(letters.map((letter) => letter.giveBack()));
    const candidates = letters.map(({ messageId }) => messageId).sort();
    throw new Problem(409, "id.ambiguous", `Several dead letters have an id that begins with "${given.slice(0, 64)}".`, candidates);
  };

  /** `what` is to be finished: what was decided so a moment ago may be held by whoever was cut off, and is waited for. */
  return async (given: string, what?: Decision["what"]) => {
    const found = await one(given);
    if (found.letter !== undefined || what === undefined) return found;
    const known = await past(given);
    const heldMs = known?.decided.what === what ? Date.parse(known.decided.at) + LET_GO_MS - clock.now() : 0;
    return heldMs <= 0 ? found : one(given, Math.min(heldMs, LET_GO_MS));
  };
};

const shown = ({ consumer, messageId, reason, at, body, tries, about }: Letter): Letter => ({
  consumer,
  messageId,
  reason,
  at,
  body,
  tries,
  about,
});

const unknown = (given: string, known: Decided | undefined, more: readonly string[]): Problem => {
  const id = given.slice(0, 100);
  if (known !== undefined) {
    const { what, at, by, why } = known.decided;
    return new Problem(404, "letter.unknown", `${id} is no dead letter any more: ${by} has ${what} it at ${at}${why ? `: ${why}` : ""}.`);
  }
  const limit = more.length === 0 ? "" : ` No more than ${LOOKED_THROUGH} were looked through of: ${more.join(", ")}.`;
  return new Problem(
    404,
    "letter.unknown",
    `There is no dead letter ${id}, or somebody is at it: then it can be asked for again in ${HELD_SECONDS} seconds.${limit} List them with: shiplog quarantine ls.`,
  );
};
