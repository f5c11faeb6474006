import type { IncomingHttpHeaders } from "node:http";
import { sentByPage } from "../engine/kit/page-request.ts";

/**
 * Names that mean this machine in every browser, whatever a name server says: `localhost`, all below it, and the
 * addresses. With any port, so that a tunnel or a container may give it another.
 */
const LOOPBACK_HOST = /^(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9_-]+\.)*localhost)(?::\d+)?$/i;

/**
 * Why a request's `Host` is refused by what listens on loopback; `undefined` where it is this machine. A page of
 * another site can make its own name point here (DNS rebinding): the browser then takes both for one site, and only
 * `Host` tells.
 */
export const foreignHost = (host: string | undefined): string | undefined =>
  host !== undefined && LOOPBACK_HOST.test(host)
    ? undefined
    : `The Host "${host ?? ""}" is not this machine. Ask it as 127.0.0.1, localhost or a name that ends in .localhost.`;

/** Why a request is refused by what listens on loopback for programs alone; `undefined` where it may be served. */
export const foreignRequest = (headers: Pick<IncomingHttpHeaders, "host" | "origin" | "sec-fetch-site">): string | undefined =>
  foreignHost(headers.host) ?? sentByPage({ origin: headers.origin, site: first(headers["sec-fetch-site"]) });

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
