import { createHmac, timingSafeEqual } from "node:crypto";
import type { ApiToken } from "../../blueprint/engine-config.ts";
import { readKnown } from "../../domain/aggregates.ts";
import { sessionStream } from "../../domain/kernel/identity.ts";
import { isOpen, type SessionView } from "../../domain/projections/session-view.ts";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { foldRow } from "../../engine/views/read-models.ts";
import type { Ports } from "./ports.ts";

/** What a session shows in place of a token: `shs_`, its id without `ses_`, and its secret. */
const BEARER = /^shs_([0-7][0-9A-HJKMNP-TV-Z]{25})_([\w-]{43})$/;

export const bearerOf = (id: string, secret: string): string => `shs_${id.slice("ses_".length)}_${secret}`;
export const looksLikeBearer = (given: string): boolean => given.startsWith("shs_");

/** The sha256 (hex) of a token of the configuration, and what may be done with it. */
export const tokenFacts = (token: ApiToken): { readonly sha256: string; readonly scope: "all" | "read" } =>
  typeof token === "string" ? { sha256: token, scope: "all" } : token;

/** Names a session's secret together with its token's value: a token that is changed, or taken away, ends its sessions. */
export const proofOf = (secret: string, token: ApiToken): string =>
  createHmac("sha256", tokenFacts(token).sha256).update(secret).digest("hex");

/** The session that this bearer is of, where it goes on and its token is still known; `undefined` else. Never stale: what was ended lets nobody in. */
export const sessionOfBearer = async (
  { config, read, clock }: Pick<Ports, "config" | "read" | "clock">,
  given: string,
): Promise<SessionView | undefined> => {
  const [, named, secret] = BEARER.exec(given) ?? [];
  if (named === undefined || secret === undefined) return undefined;
  const events = (await unbroken(read)(sessionStream(`ses_${named}`), 0)).flatMap(eventsOf);
  const began = readKnown("session", events).find((event) => event.type === "SessionBegan");
  const view = foldRow("sessions", undefined, events);
  if (began?.type !== "SessionBegan" || view === undefined || !isOpen(view, new Date(clock.now()).toISOString())) return undefined;
  const token = Object.hasOwn(config.tokens, view.token) ? config.tokens[view.token] : undefined;
  if (token === undefined) return undefined;
  return timingSafeEqual(Buffer.from(proofOf(secret, token), "hex"), Buffer.from(began.body.proof, "hex")) ? view : undefined;
};
