import { hash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { firstOf } from "../../domain/kernel/text.ts";
import type { Because } from "../../engine/log/execute.ts";
import type { Views } from "../../engine/views/views.ts";
import { addressOf } from "./address.ts";
import { Problem } from "./problem.ts";

/** Who asks, as far as it was proven: the token. `actor` also says who they claim to be. */
export type Caller = {
  readonly token: string;
  readonly actor: string;
  /** `token:default 203.0.113.9` */
  readonly origin: string;
  /** names this very request */
  readonly request: string;
};
export type Env = { Variables: { caller: Caller } };

/** Lets in who has one of the tokens, whose sha256 (hex) the configuration holds by name. */
export const authenticate =
  (tokens: Readonly<Record<string, string>>, newRequestId: () => string): MiddlewareHandler<Env> =>
  async (context, next) => {
    const token = tokenOf(context.req.header("authorization"), tokens);
    if (token === undefined)
      throw new Problem(401, "token.unknown", "This needs a token that the engine knows: send it as `Authorization: Bearer <token>`.");
    context.set("caller", {
      token,
      actor: actorOf(context.req.header("x-shiplog-actor"), token),
      origin: `token:${token} ${addressOf(context.env)}`,
      request: newRequestId(),
    });
    await next();
  };

/** Every token is compared, in constant time: neither which one fits nor how far shows in the time it takes. */
function tokenOf(header: string | undefined, tokens: Readonly<Record<string, string>>): string | undefined {
  const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
  if (given === undefined) return undefined;
  const digest = hash("sha256", given, "buffer");
  let found: string | undefined;
  for (const [name, expected] of Object.entries(tokens)) if (timingSafeEqual(digest, Buffer.from(expected, "hex"))) found = name;
  return found;
}

/**
 * `alice (token default)`: the first is claimed, the second is proven. The claim has no brackets, so that it cannot look
 * like a proof.
 */
export function actorOf(claimed: string | undefined, token: string): string {
  const given = (claimed ?? "").replace(/[^\p{L}\p{N} ._@+-]/gu, "").trim();
  const name = firstOf(given, 64);
  return name === "" ? `token ${token}` : `${name} (token ${token})`;
}

/**
 * Why a command is given: the caller's key makes a repeated request the same command. A key is its token's alone.
 * Called once the body was found valid: what is refused for its form takes no key.
 *
 * @param nameOf what stands for the body in the key's row: of a body that is secret, something that does not give it away
 * @throws Problem: 400 `key.invalid`, 422 `key.reused` where the key came with another path, body or actor before
 */
export async function commandOf(
  context: Context<Env>,
  { claimKey }: Pick<Views, "claimKey">,
  nameOf: (body: string) => string = (body) => body,
): Promise<Because> {
  const caller = context.get("caller");
  const { path } = context.req;
  const key = context.req.header("idempotency-key");
  if (key !== undefined) {
    if (!/^[\x21-\x7e]{1,200}$/.test(key))
      throw new Problem(400, "key.invalid", "The header Idempotency-Key must be 1 to 200 characters without spaces.");
    const request = digestOf(path, caller.actor, nameOf(await context.req.text()));
    if (!(await claimKey(digestOf(caller.token, key), request)))
      throw new Problem(
        422,
        "key.reused",
        "This Idempotency-Key came with another request before, and nothing was done now. Give each request a key of its own.",
      );
  }
  const id = hash("sha256", `${caller.token}\n${path}\n${key ?? caller.request}`, "base64url").slice(0, 32);
  return { cause: `api/${id}`, correlation: `api/${id}`, actor: caller.actor, origin: caller.origin };
}

const digestOf = (...parts: readonly string[]): string => hash("sha256", JSON.stringify(parts), "base64url");
