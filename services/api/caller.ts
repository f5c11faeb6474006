import { hash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { ApiToken } from "../../blueprint/engine-config.ts";
import { firstOf } from "../../domain/kernel/text.ts";
import type { SessionView } from "../../domain/projections/session-view.ts";
import type { Because } from "../../engine/log/execute.ts";
import type { Views } from "../../engine/views/views.ts";
import { addressOf } from "./address.ts";
import { type Run, runOf } from "./github-rule.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";
import { type Hide, hiding } from "./pseudonyms.ts";
import { looksLikeBearer, sessionOfBearer, tokenFacts } from "./session-bearer.ts";

/** Who asks, as far as it was proven: the token. `actor` also says who they claim to be. */
export type Caller = {
  readonly token: string;
  /** `read`: it may look, and change nothing */
  readonly scope: "all" | "read";
  readonly actor: string;
  /** whose name that is, where it is one, and how the log has them by their pseudonym */
  readonly person?: { readonly name: string; as(pseudonym: string): string };
  /** `token:default 203.0.113.9`, `session:ses_… 203.0.113.9`, or `github:acme/web@refs/heads/main#<run>.<attempt> 203.0.113.9` */
  readonly origin: string;
  /** the run of GitHub Actions that asks, where it is one: it may do what `githubRights` says alone */
  readonly run?: Run;
  /** by which it asks in place of its token */
  readonly session?: SessionView;
  /** names this very request */
  readonly request: string;
};
/** `granted`: a run of GitHub Actions may make this very request. */
export type Env = { Variables: { caller: Caller; hide: Hide; granted?: true } };

type Identity = Omit<Caller, "request">;

/**
 * Lets in who has one of the tokens, whose sha256 (hex) the configuration holds by name, a session that goes on, or a token of
 * GitHub Actions for this engine.
 */
export const authenticate =
  (ports: Pick<Ports, "config" | "githubTokens" | "chance" | "people" | "read" | "report" | "clock">): MiddlewareHandler<Env> =>
  async (context, next) => {
    const given = /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
    const address = addressOf(context.env);
    const identity = looksLikeBearer(given)
      ? await identityOfSession(ports, given, address)
      : (identityOfToken(ports, given, address, context.req.header("x-shiplog-actor")) ?? (await identityOfRun(ports, given, address)));
    context.set("hide", hiding(ports));
    context.set("caller", { ...identity, request: ports.chance.requestId() });
    await next();
  };

const identityOfToken = (
  { config }: Pick<Ports, "config">,
  given: string,
  address: string,
  claimed: string | undefined,
): Identity | undefined => {
  const token = tokenOf(given, config.tokens);
  if (token === undefined) return undefined;
  const { scope } = tokenFacts(config.tokens[token] as ApiToken);
  const name = nameOf(claimed);
  return {
    token,
    scope,
    actor: actorOf(claimed, token),
    ...(name !== "" && { person: { name, as: (pseudonym: string) => `${pseudonym} (token ${token})` } }),
    origin: `token:${token} ${address}`,
  };
};

/** Who began it is who acts: no header says otherwise. */
async function identityOfSession(ports: Pick<Ports, "config" | "read" | "clock">, given: string, address: string): Promise<Identity> {
  const session = await sessionOfBearer(ports, given);
  if (session === undefined)
    throw new Problem(401, "session.over", "This session is over: its time, its token or somebody ended it. Sign in again.");
  const { scope } = tokenFacts(ports.config.tokens[session.token] as ApiToken);
  // one that an older release began has a name
  const [, name] = /^(?!per_[0-9A-Z]{26} )(.+) \(token [^()]*\)$/.exec(session.actor) ?? [];
  const person = name !== undefined && { person: { name, as: (pseudonym: string) => session.actor.replace(name, pseudonym) } };
  return { token: session.token, scope, actor: session.actor, ...person, origin: `session:${session.id} ${address}`, session };
}

/** Three parts of base64url, the first of them JSON: what GitHub gives a job. */
const SIGNED_TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

async function identityOfRun(
  { config, githubTokens }: Pick<Ports, "config" | "githubTokens">,
  given: string,
  address: string,
): Promise<Identity> {
  if (!SIGNED_TOKEN.test(given))
    throw new Problem(401, "token.unknown", "This needs a token that the engine knows: send it as `Authorization: Bearer <token>`.");
  if (githubTokens === undefined)
    throw new Problem(401, "github.token", 'This engine takes no tokens of GitHub Actions: no environment of its sites file has "github".');
  const read = await githubTokens.read(given);
  if (read.is === "unreachable")
    throw new Problem(503, "github.unreachable", `The token of GitHub Actions cannot be checked now: ${read.why}. Try again.`);
  if (read.is === "refused") throw new Problem(401, "github.token", `The token of GitHub Actions is not accepted: ${read.why}.`);
  const { repository, repository_id, ref, run_id, run_attempt, actor } = read.claims;
  return {
    token: `github:${repository}#${repository_id}`,
    scope: "all",
    actor: `github:${actor}`,
    person: { name: `github:${actor}`, as: (pseudonym) => pseudonym },
    origin: `github:${repository}@${ref}#${run_id}.${run_attempt} ${address}`,
    run: runOf(read.claims, config.sites),
  };
}

/** Every token is compared, in constant time: neither which one fits nor how far shows in the time it takes. */
function tokenOf(given: string, tokens: Readonly<Record<string, ApiToken>>): string | undefined {
  if (given === "") return undefined;
  const digest = hash("sha256", given, "buffer");
  let found: string | undefined;
  for (const [name, expected] of Object.entries(tokens))
    if (timingSafeEqual(digest, Buffer.from(tokenFacts(expected).sha256, "hex"))) found = name;
  return found;
}

/**
 * `alice (token default)`: the first is claimed, the second is proven. The claim has no brackets, so that it cannot look
 * like a proof.
 */
export function actorOf(claimed: string | undefined, token: string): string {
  const name = nameOf(claimed);
  return name === "" ? `token ${token}` : `${name} (token ${token})`;
}

/** "" where nobody says who they are. */
const nameOf = (claimed: string | undefined): string => firstOf((claimed ?? "").replace(/[^\p{L}\p{N} ._@+-]/gu, "").trim(), 64).trim();

/** Who acts, as the log has them: never by a name. */
export const actorIn = async (context: Context<Env>): Promise<string> => {
  const { actor, person } = context.get("caller");
  return person === undefined ? actor : person.as(await context.get("hide").person(person.name));
};

/**
 * Why a command is given: the caller's key makes a repeated request the same command. A key is its token's alone.
 * Called once the body was found valid: what is refused for its form takes no key.
 *
 * @param standIn what stands for the body in the key's row: of a body that is secret, something that does not give it away
 * @throws Problem: 400 `key.invalid`, 422 `key.reused` where the key came with another path, body or actor before
 */
export async function commandOf(
  context: Context<Env>,
  { claimKey }: Pick<Views, "claimKey">,
  standIn: (body: string) => string = (body) => body,
): Promise<Because> {
  const caller = context.get("caller");
  const actor = await actorIn(context);
  const { path } = context.req;
  const key = context.req.header("idempotency-key");
  if (key !== undefined) {
    if (!/^[\x21-\x7e]{1,200}$/.test(key))
      throw new Problem(400, "key.invalid", "The header Idempotency-Key must be 1 to 200 characters without spaces.");
    // the key is kept nowhere: without it nobody can try which name or address was in a request
    const request = digestOf(key, path, caller.actor, standIn(await context.req.text()));
    if (!(await claimKey(digestOf(caller.token, key), request)))
      throw new Problem(
        422,
        "key.reused",
        "This Idempotency-Key came with another request before, and nothing was done now. Give each request a key of its own.",
      );
  }
  const id = hash("sha256", `${caller.token}\n${path}\n${key ?? caller.request}`, "base64url").slice(0, 32);
  return { cause: `api/${id}`, correlation: `api/${id}`, actor, origin: caller.origin };
}

const digestOf = (...parts: readonly string[]): string => hash("sha256", JSON.stringify(parts), "base64url");
