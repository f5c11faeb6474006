import { NoToken, type TokenSource } from "../client/http.ts";

const TIMEOUT_MS = 10_000;
/** So long before its end a token is not used any more: a request is under way for a while. */
const MARGIN_MS = 60_000;

type Kept = { readonly token: string; readonly until: number };

/**
 * Tokens of a job of GitHub Actions for an engine, each asked for when the one before has come near its end. The address
 * is what the token is good for, so one that was given to another engine is worth nothing there.
 * @returns `undefined` where this is no job that may ask
 */
export function githubTokenSource(
  engine: string,
  { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret }: Readonly<Record<string, string | undefined>>,
): TokenSource | undefined {
  if (!url || !secret) return undefined;
  let kept: Kept | undefined;
  let asking: Promise<Kept> | undefined;
  return async (signal) => {
    if (kept !== undefined && Date.now() < kept.until) return kept.token;
    asking ??= request(url, secret, new URL(engine).href.replace(/\/+$/, ""), signal).finally(() => {
      asking = undefined;
    });
    kept = await asking;
    return kept.token;
  };
}

async function request(url: string, secret: string, audience: string, signal: AbortSignal): Promise<Kept> {
  const asked = addressOf(url);
  asked.searchParams.set("audience", audience);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(asked, {
      headers: { authorization: `bearer ${secret}`, accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    text = await answer.text();
  } catch (error) {
    throw new NoToken(`${asked.host} cannot be reached`, true, error);
  }
  if (!answer.ok) throw new NoToken(`${asked.host} answered ${answer.status}`, answer.status === 429 || answer.status >= 500);
  const token = tokenIn(text);
  if (token === undefined) throw new NoToken(`${asked.host} answered with something else`, false);
  return { token, until: Date.now() + lifeOf(token) - MARGIN_MS };
}

/** What proves the job to GitHub must not cross a network in the clear. */
function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname))) return url;
  throw new NoToken("ACTIONS_ID_TOKEN_REQUEST_URL is no https address", false);
}

function tokenIn(text: string): string | undefined {
  const { value } = (json(text) ?? {}) as { value?: unknown };
  return typeof value === "string" && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value) ? value : undefined;
}

/** In ms, by the issuer's clock alone: this machine's may be another. */
function lifeOf(token: string): number {
  const { exp, iat } = (json(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) ?? {}) as { exp?: unknown; iat?: unknown };
  return typeof exp === "number" && typeof iat === "number" ? (exp - iat) * 1_000 : 0;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
