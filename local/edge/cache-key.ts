import type { CacheKey } from "../../blueprint/edge-behaviors.ts";
import { cookiesOf, type ViewerRequest } from "./viewer-request.ts";

/**
 * What an answer is kept under: the path, and of the rest of a request what its behaviour says. The encodings that a client
 * takes are told apart as CloudFront does it, where a policy has both on: by gzip and brotli alone.
 */
export const cacheKeyOf = (request: ViewerRequest, { headers, cookies, query }: CacheKey): string =>
  JSON.stringify([
    request.path,
    query === "none" ? "" : countedQuery(request.query, query.except),
    headers.map((name) => request.headers[name] ?? null),
    cookiesOf(request.headers).filter((one) => cookies.includes(one.split("=", 1)[0] ?? "")),
    ["br", "gzip"].filter((encoding) =>
      new RegExp(`\\b${encoding}\\b(?!;q=0(\\.0*)?(,|$))`).test(request.headers["accept-encoding"] ?? ""),
    ),
  ]);

/** The query without what makes no difference, in the order in which it came. */
export const countedQuery = (query: string, except: readonly string[]): string =>
  query
    .split("&")
    .filter((one) => one !== "" && !except.includes(one.split("=", 1)[0] ?? ""))
    .join("&");
