/** An HTTP answer of a function, as far as a page is read from it. */
export type PageAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** A streaming function writes status and headers, these, and the body. */
const PRELUDE_END = "\0".repeat(8);

/** Reads what an invocation gave; `undefined` where it is no HTTP answer. */
export const pageAnswerOf = (payload: string): PageAnswer | undefined => {
  const cut = payload.indexOf(PRELUDE_END);
  const told = parsed(cut < 0 ? payload : payload.slice(0, cut)) as Partial<Record<string, unknown>> | null;
  if (typeof told !== "object" || typeof told?.statusCode !== "number") return undefined;
  const body = cut < 0 ? told.body : payload.slice(cut + PRELUDE_END.length);
  return {
    status: told.statusCode,
    headers: Object.fromEntries(Object.entries(told.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)])),
    body: typeof body !== "string" ? "" : told.isBase64Encoded === true && cut < 0 ? Buffer.from(body, "base64").toString("utf8") : body,
  };
};

/** Where on its own host a redirect leads; `undefined` where it is none, or leads elsewhere. */
export const redirectOf = ({ status, headers }: PageAnswer, page: URL): URL | undefined => {
  const { location } = headers;
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, page.href)) return undefined;
  const to = new URL(location, page);
  return to.host === page.host ? to : undefined;
};

/**
 * The scripts and styles of the build that an HTML page names and that its own host serves, as decoded paths without a
 * leading slash. What another host serves (an absolute assetPrefix) is not the release's.
 */
export const assetsNamedBy = ({ headers, body }: PageAnswer, page: URL): string[] => {
  if (!(headers["content-type"] ?? "").includes("html")) return [];
  const found = new Set<string>();
  for (const [tag = ""] of body.matchAll(/<(?:script|link)\b[^>]*>/gi)) {
    const named = /^<script/i.test(tag) ? attribute(tag, "src") : isStyle(tag) ? attribute(tag, "href") : undefined;
    if (named === undefined || !URL.canParse(named, page.href)) continue;
    const { host, pathname } = new URL(named, page);
    if (host === page.host && pathname.includes("/_next/static/")) found.add(decoded(pathname).slice(1));
  }
  return [...found];
};

const isStyle = (tag: string): boolean => (attribute(tag, "rel") ?? "").split(/\s+/).includes("stylesheet");

const attribute = (tag: string, name: string): string | undefined => {
  const [, double, single] = new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)')`, "i").exec(tag) ?? [];
  return (double ?? single)?.replaceAll("&amp;", "&");
};

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
