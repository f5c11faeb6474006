import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";

type Signing = { readonly kid: string; readonly privateKey: CryptoKey; readonly publicKey: CryptoKey; readonly jwk: JWK };

const newKey = async (kid: string): Promise<Signing> => {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  return { kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig", alg: "RS256" } };
};

/** What a push to `main` of `acme/web` says of itself. */
export const PUSH = {
  sub: "repo:acme/web:ref:refs/heads/main",
  repository: "acme/web",
  repository_id: "4711",
  ref: "refs/heads/main",
  event_name: "push",
  actor: "octocat",
  run_id: "1234567",
  run_attempt: "2",
};

type Claims = Readonly<Record<string, unknown>>;

/** An issuer as GitHub's is, on this machine, with keys of its own; and what a job asks for a token. */
export const startGithubIssuer = async () => {
  const state = {
    keys: [await newKey("first")],
    /** paths that were asked for */
    asked: [] as string[],
    /** answers 500 */
    down: false,
    /** of the tokens that a job is given */
    claims: PUSH as Claims,
    lifeSeconds: 300,
    given: [] as string[],
  };
  const JOB = "the-job-may-ask";

  const sign = async (
    claims: Claims,
    { kid = state.keys[0]?.kid, at = Date.now(), alg = "RS256", key }: { kid?: string; at?: number; alg?: string; key?: CryptoKey } = {},
  ): Promise<string> => {
    const seconds = Math.floor(at / 1_000);
    const payload = {
      iss: url,
      iat: seconds,
      nbf: seconds,
      exp: seconds + state.lifeSeconds,
      jti: String(Math.random()),
      ...PUSH,
      ...claims,
    };
    const found = key ?? state.keys.find((one) => one.kid === kid)?.privateKey;
    if (found === undefined) throw new Error(`the issuer has no key ${kid}`);
    return new SignJWT(payload).setProtectedHeader({ alg, ...(kid !== undefined && { kid }), typ: "JWT" }).sign(found);
  };

  const answer = async ({ url: path = "/", headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    state.asked.push(path);
    const send = (status: number, body: unknown): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const asked = new URL(path, "http://issuer");
    if (state.down) return send(500, {});
    if (asked.pathname === "/.well-known/openid-configuration") return send(200, { issuer: url, jwks_uri: `${url}/keys` });
    if (asked.pathname === "/keys") return send(200, { keys: state.keys.map(({ jwk }) => jwk) });
    if (asked.pathname !== "/token") return send(404, {});
    if (headers.authorization !== `bearer ${JOB}`) return send(401, { message: "no" });
    const token = await sign({ ...state.claims, aud: asked.searchParams.get("audience") });
    state.given.push(token);
    send(200, { count: 1, value: token });
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    state,
    sign,
    newKey,
    publicPem: () => exportSPKI((state.keys[0] as Signing).publicKey),
    /** what a job with `id-token: write` finds in its environment */
    jobEnv: { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2.0`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: JOB },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};

export type GithubIssuer = Awaited<ReturnType<typeof startGithubIssuer>>;
