import { type CryptoKey, importJWK } from "jose";
import * as z from "zod";
import { bareAddress, isSafeAddress } from "../../blueprint/github.ts";
import type { Clock } from "../kit/clock.ts";

/** The issuer's keys are needed and cannot be had. */
export class IssuerUnreachable extends Error {
  override readonly name = "IssuerUnreachable";
}

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isSafeAddress) });
const Keys = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) });
const SigningKey = z.object({
  kid: z.string().min(1),
  kty: z.literal("RSA"),
  use: z.literal("sig").optional(),
  alg: z.literal("RS256").optional(),
  n: z.string(),
  e: z.string(),
});

/** So long keys are taken as they are. */
const FRESH_MS = 10 * 60_000;
/** So long known keys go on being taken while the issuer does not answer. */
const KEPT_MS = 60 * 60_000;
/** The issuer is asked no more often than this, whatever is sent here. */
const COOL_DOWN_MS = 30_000;

export type Issuer = { readonly issuer: string; readonly ask: (url: string) => Promise<unknown>; readonly clock: Pick<Clock, "now"> };

/** The keys that an issuer signs with, by their ids: asked for when one is needed, and kept. */
export const issuerKeys = ({ issuer, ask, clock }: Issuer) => {
  let known: ReadonlyMap<string, CryptoKey> = new Map();
  let knownAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let asking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    askedAt = clock.now();
    try {
      known = await published(issuer, ask);
      knownAt = clock.now();
      failure = undefined;
    } catch (error) {
      failure = error;
    }
  };
  /** Those who need a key at the same time wait for one answer. */
  const refresh = async (): Promise<void> => {
    if (asking === undefined && clock.now() - askedAt < COOL_DOWN_MS) return;
    asking ??= look().finally(() => {
      asking = undefined;
    });
    await asking;
  };

  return {
    /** `undefined` where the issuer has no such key. @throws IssuerUnreachable */
    find: async (id: string): Promise<CryptoKey | undefined> => {
      if (!known.has(id) || clock.now() - knownAt > FRESH_MS) await refresh();
      const key = clock.now() - knownAt > KEPT_MS ? undefined : known.get(id);
      if (key === undefined && failure !== undefined)
        throw new IssuerUnreachable(`the keys of ${issuer} cannot be had (${(failure as Error).message})`, { cause: failure });
      return key;
    },
  };
};

export type IssuerKeys = ReturnType<typeof issuerKeys>;

const published = async (issuer: string, ask: Issuer["ask"]): Promise<ReadonlyMap<string, CryptoKey>> => {
  const discovery = Discovery.parse(await ask(`${issuer}/.well-known/openid-configuration`));
  if (bareAddress(discovery.issuer) !== issuer) throw new Error(`it says that it is ${discovery.issuer}`);
  const { keys } = Keys.parse(await ask(discovery.jwks_uri));
  const usable = keys.flatMap((key) => SigningKey.safeParse(key).data ?? []);
  const imported = await Promise.all(
    usable.map(async (key) => [key.kid, (await importJWK({ kty: key.kty, n: key.n, e: key.e }, "RS256")) as CryptoKey] as const),
  );
  return new Map(imported);
};
