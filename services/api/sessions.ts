import { Hono, type MiddlewareHandler } from "hono";
import { BeginSession, WithReason } from "../../client/contract.ts";
import { SessionId, sessionStream } from "../../domain/kernel/identity.ts";
import type { SessionView } from "../../domain/projections/session-view.ts";
import type { SessionKind } from "../../domain/session/events.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import { bodyOf } from "./body.ts";
import { type Caller, commandOf, type Env } from "./caller.ts";
import { idOfCommand } from "./command-id.ts";
import type { Ports } from "./ports.ts";
import { Problem, refused } from "./problem.ts";
import { bearerOf, proofOf } from "./session-bearer.ts";

/** How long each kind goes on: a browser for a working day, a link until somebody's browser has opened. Milliseconds. */
const LASTS: Readonly<Record<SessionKind, number>> = { browser: 12 * 3_600_000, link: 60_000 };

/** Sessions of one token that go on at once: each is kept in the log for ever, and all are listed. */
const MOST = 200;

/**
 * What a scope lets through: `read` may look, and begin and end sessions of its own; the session of a link may begin the one
 * session that it is for, and nothing else.
 */
export const scopes: MiddlewareHandler<Env> = async (context, next) => {
  const { scope, session, token } = context.get("caller");
  const { method, path } = context.req;
  const begins = method === "POST" && path === "/v1/sessions";
  if (session?.kind === "link" && !begins)
    throw new Problem(403, "session.link", "This session is a link's: it is good for signing in once, and for nothing else.");
  const looks = method === "GET" || method === "HEAD";
  if (scope === "read" && !looks && !begins && !/^\/v1\/sessions\/[^/]+\/end$/.test(path))
    throw new Problem(403, "token.read-only", `The token "${token}" may look and change nothing. Use one that may do everything.`);
  await next();
};

/** `/v1/sessions`: somebody shows a token once, and acts by the session until it ends. And `/v1/caller`: who asks. */
export const sessions = (ports: Ports) => {
  const { aggregates, clock, chance, config, read, views } = ports;

  const see = async (id: string): Promise<SessionView> => {
    const view = SessionId.safeParse(id).success
      ? foldRow("sessions", undefined, (await read(sessionStream(id), 0)).flatMap(eventsOf))
      : undefined;
    if (view === undefined)
      throw new Problem(404, "session.unknown", `There is no session ${id.slice(0, 64)}. List them with: shiplog sessions ls.`);
    return view;
  };

  return new Hono<Env>()
    .get("/caller", (context) => {
      const { token, scope, actor, session = null } = context.get("caller");
      return context.json({ caller: { token, scope, actor, session } });
    })
    .get("/sessions", async (context) => context.json({ sessions: await views.sessions(new Date(clock.now()).toISOString()) }))

    .post("/sessions", async (context) => {
      const { kind: wanted } = await bodyOf(context, BeginSession);
      const caller = context.get("caller");
      const because = await commandOf(context, views);
      const id = idOfCommand("ses", because.cause);
      const kind = kindFor(caller, wanted);
      const own = (await views.sessions(new Date(clock.now()).toISOString())).filter(({ token }) => token === caller.token);
      if (own.length >= MOST)
        throw new Problem(
          409,
          "session.many",
          `${own.length} sessions of the token "${caller.token}" go on. End some first: shiplog sessions ls.`,
        );
      if (caller.session !== undefined) {
        // first it is used up: of two that follow the same link, one comes in
        const used = { type: "EndSession", reason: "its link was followed", once: true } as const;
        const { refusal } = await aggregates.session.execute(caller.session.id, used, because);
        if (refusal !== undefined) throw refused("This link cannot be followed", refusal);
      }
      const secret = chance.sessionSecret();
      const proof = proofOf(secret, config.tokens[caller.token] as string);
      const until = new Date(clock.now() + LASTS[kind]).toISOString();
      const begun = await aggregates.session.execute(id, { type: "BeginSession", token: caller.token, kind, proof, until }, because);
      if (begun.state.began?.proof !== proof)
        throw new Problem(409, "session.begun", "This session was begun before, and its secret was told then alone. Begin another one.");
      return context.json({ session: await see(id), secret: bearerOf(id, secret) }, 201);
    })

    .post("/sessions/:id/end", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const because = await commandOf(context, views);
      const view = await see(context.req.param("id"));
      const { scope, token } = context.get("caller");
      if (scope === "read" && view.token !== token)
        throw new Problem(403, "token.read-only", `The token "${token}" may end its own sessions alone.`);
      const { refusal } = await aggregates.session.execute(view.id, { type: "EndSession", ...(reason && { reason }) }, because);
      if (refusal !== undefined) throw refused(`${view.id} cannot be ended`, refusal);
      return context.json({ session: await see(view.id) });
    });
};

const kindFor = ({ session }: Caller, wanted: SessionKind): SessionKind => {
  if (session === undefined) return wanted;
  if (session.kind !== "link") throw new Problem(403, "session.begins", "A session begins no other one: show the token itself.");
  return "browser";
};
