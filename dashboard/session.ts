import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

/** How the session's cookie begins. The local edge keeps it from sites: on one machine, all ports share their cookies. */
export const SESSION_COOKIE = "shiplog_session";
const SESSION_SECONDS = 12 * 60 * 60;

/** A token as it stands in a header: printable, without spaces. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;
export const isToken = (text: string): boolean => TOKEN.test(text);
/** What a session shows in a token's place; never a token itself, which an earlier release kept here. */
const BEARER = /^shs_[\w-]{1,200}$/;

/** Each port its own, so that two engines on one machine do not sign each other out. */
const cookieOf = ({ req }: Context): string => {
  const { port } = new URL(req.url);
  return port === "" ? SESSION_COOKIE : `${SESSION_COOKIE}_${port}`;
};

/** On https no sibling of the address can set it. */
const prefixOf = ({ req }: Context): "host" | undefined => (new URL(req.url).protocol === "https:" ? "host" : undefined);

/** The session's bearer that the browser sent; `undefined` where it sent none. */
export const bearerOf = (context: Context): string | undefined => {
  const bearer = prefixOf(context) === "host" ? getCookie(context, cookieOf(context), "host") : getCookie(context, cookieOf(context));
  return bearer !== undefined && BEARER.test(bearer) ? bearer : undefined;
};

/** For 12 hours, for this very address, and for no script. */
export const keepBearer = (context: Context, bearer: string): void => {
  const prefix = prefixOf(context);
  const options = { httpOnly: true, sameSite: "Strict", path: "/", maxAge: SESSION_SECONDS, secure: prefix !== undefined } as const;
  setCookie(context, cookieOf(context), bearer, prefix === undefined ? options : { ...options, prefix });
};

export const forgetBearer = (context: Context): void => {
  const prefix = prefixOf(context);
  deleteCookie(context, cookieOf(context), prefix === undefined ? { path: "/" } : { path: "/", secure: true, prefix });
};

/**
 * Why a form is refused; `undefined` where this very page sent it. Browsers say where a form comes from, and no page can
 * forge that; what says nothing is a program, which has the API.
 *
 * @param origin the header `Origin`
 * @param site the header `Sec-Fetch-Site`
 */
export const forgedForm = (
  { origin, site }: { readonly origin: string | undefined; readonly site: string | undefined },
  host: string | undefined,
): string | undefined => {
  if (site !== undefined && site !== "same-origin") return `A page of another site sent this form (${site}).`;
  if (origin === undefined && site === undefined) return "Nothing says which page sent this form. Programs have the API for it.";
  if (origin !== undefined && hostOf(origin) !== host) return `A page of ${origin.slice(0, 200)} sent this form.`;
  return undefined;
};

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/** Nothing of it is kept by a browser or a proxy, framed, or fed by another site. */
export const guarded: MiddlewareHandler = async (context, next) => {
  await next();
  context.header(
    "content-security-policy",
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  );
  context.header("cache-control", "no-store");
  // with none at all, browsers would not say where a form of this very page comes from
  context.header("referrer-policy", "same-origin");
  context.header("x-content-type-options", "nosniff");
  context.header("cross-origin-opener-policy", "same-origin");
};
