import { errors, jwtVerify } from "jose";
import * as z from "zod";
import type { GithubTokens } from "../../blueprint/github.ts";
import type { Clock } from "../kit/clock.ts";
import { type IssuerKeys, IssuerUnreachable } from "./issuer-keys.ts";

/** Nothing that acts on a terminal, or that ends a line. */
const text = (characters: number) =>
  z
    .string()
    .max(characters)
    .regex(/^\P{C}+$/u);

/** What GitHub says of a run of a workflow. */
export const GithubClaims = z.object({
  repository: z.string().regex(/^[\w.-]{1,120}\/[\w.-]{1,120}$/),
  repository_id: z.string().regex(/^\d{1,20}$/),
  ref: text(500).regex(/^\S+$/),
  /** the environment of GitHub that the job names */
  environment: text(255).optional(),
  event_name: z.string().regex(/^[a-z_]{1,50}$/),
  actor: z.string().regex(/^[\w-]{1,80}(\[bot\])?$/),
  run_id: z.string().regex(/^\d{1,20}$/),
  run_attempt: z.string().regex(/^\d{1,9}$/),
});
export type GithubClaims = z.infer<typeof GithubClaims>;

export type Read =
  | { readonly is: "proven"; readonly claims: GithubClaims }
  /** why the token is not taken, as the end of a sentence */
  | { readonly is: "refused"; readonly why: string }
  | { readonly is: "unreachable"; readonly why: string };

/** Clocks may differ so much. */
const LEEWAY_SECONDS = 30;
const ALGORITHM = "RS256";

class UnknownKey extends Error {}

/** Reads tokens of GitHub Actions that were asked for this engine. */
export const githubTokenReader = ({ audience, issuer }: GithubTokens, keys: IssuerKeys, clock: Pick<Clock, "now">) => {
  const keyOf = async ({ kid }: { kid?: string | undefined }) => {
    const key = kid === undefined ? undefined : await keys.find(kid);
    if (key === undefined) throw new UnknownKey(`${issuer} has no key "${(kid ?? "").slice(0, 100)}"`);
    return key;
  };

  return {
    read: async (token: string): Promise<Read> => {
      try {
        const { payload } = await jwtVerify(token, keyOf, {
          algorithms: [ALGORITHM],
          issuer,
          audience,
          requiredClaims: ["exp", "nbf"],
          clockTolerance: LEEWAY_SECONDS,
          currentDate: new Date(clock.now()),
        });
        if (payload.aud !== audience)
          return { is: "refused", why: `it is for others too, and this engine takes those for ${audience} alone` };
        const claims = GithubClaims.safeParse(payload);
        if (claims.success) return { is: "proven", claims: claims.data };
        return { is: "refused", why: `it says nothing usable in ${claims.error.issues.map(({ path }) => path.join(".")).join(", ")}` };
      } catch (error) {
        if (error instanceof IssuerUnreachable) return { is: "unreachable", why: error.message };
        const why = whyOf(error, { audience, issuer });
        if (why === undefined) throw error;
        return { is: "refused", why };
      }
    },
  };
};

export type GithubTokenReader = ReturnType<typeof githubTokenReader>;

/** `undefined` for what is no fault of the token. */
function whyOf(error: unknown, { audience, issuer }: GithubTokens): string | undefined {
  if (error instanceof UnknownKey) return error.message;
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JOSEAlgNotAllowed) return `it is not signed with ${ALGORITHM}`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature is wrong";
  if (error instanceof errors.JWTClaimValidationFailed)
    switch (error.claim) {
      case "aud":
        return `it is for another audience, and this engine takes those for ${audience}`;
      case "iss":
        return `it is of another issuer, and this engine takes those of ${issuer}`;
      case "nbf":
        return error.reason === "check_failed" ? "it is not valid yet: a clock may be wrong" : "it has no nbf";
      default:
        return `its ${error.claim} is missing or wrong`;
    }
  return error instanceof errors.JOSEError ? "it is not a token as GitHub signs them" : undefined;
}
