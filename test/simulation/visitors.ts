import { cacheKeys } from "../../blueprint/edge-behaviors.ts";
import { liveKey, RELEASE_HEADER, releaseKey } from "../../blueprint/edge-table.ts";
import { loadRouterAtOnce, type RouterEvent, routerSource } from "../../local/edge/router-runtime.ts";
import { addressAt } from "./aws/addresses.ts";
import type { Cloud } from "./aws/cloud.ts";
import { type EdgeWatch, parsed, seenPlace, streams } from "./invariants/edge.ts";
import type { Ledger } from "./ledger.ts";

const POINTS = 2;
const EVERY_MS = 4 * 60_000;
/** Every point of presence has a change by then. */
const LATEST_MS = 10 * 60_000;
const KEPT_MS = cacheKeys.pages.maxSeconds * 1_000;

type Rows = ReadonlyMap<string, string>;
/** What a browser asks for: a page, which may name a release, or what a page of a release asks for. */
type Asked = { readonly is: "document" | "navigation"; readonly release: string | undefined };
type Kept = { readonly address: string; readonly of: string | undefined; readonly until: number };

let now = (): number => 0;
const route = loadRouterAtOnce(routerSource(), () => now());

/**
 * Visitors at points of presence, each of which has the table as it was some time ago, never goes back, and keeps pages as
 * CloudFront does; the router itself says which release answers. A document is of what is live there, whatever it names, and
 * never older than one that the same point has served; what a page of a release asks for is answered by that release alone,
 * while it has a row; and whatever a row names is there.
 */
export const visit = (cloud: Cloud, ledger: Ledger, watch: EdgeWatch, until: number): void => {
  const { world, edgeTable } = cloud;
  const random = world.random.fork("visitors");
  for (const distribution of streams.keys())
    for (let point = 0; point < POINTS; point++) {
      const at = pointOf(cloud, watch, distribution);
      let version = 0;
      let served = 0;
      const come = (): void => {
        const before = version;
        version = Math.max(version, edgeTable.versionAt(world.now() - LATEST_MS));
        version += random.int(edgeTable.versions.length - version);
        // what a hand took away may come again as the log has it: older than what a flip wrote that was given up
        for (let seen = before + 1; seen <= version; seen++) if (edgeTable.isHands(seen, liveKey(distribution))) served = 0;
        const rows = edgeTable.versions[version] ?? new Map<string, string>();
        follow(cloud, watch, distribution, edgeTable.versions.at(-1) ?? rows, "the table");
        if (areClocksRight(cloud)) follow(cloud, watch, distribution, rows, "an edge");
        const row = parsed(rows.get(liveKey(distribution)));
        const isHands = edgeTable.isHands(version, liveKey(distribution));
        if (row !== undefined && !isHands && seenPlace(ledger, distribution).flips.has(row.sequence)) {
          if (row.sequence < served) world.violate(`a visitor of ${distribution} got sequence ${row.sequence} after ${served}`);
          served = row.sequence;
          if (rows.get(releaseKey(distribution, row.release)) === undefined)
            world.violate(`pages of ${row.release} are served at ${distribution}, and what names it reaches nothing`);
          at.asks(rows, { is: random.chance(0.6) ? "document" : "navigation", release: random.pick([undefined, ...at.opened]) });
        }
        if (world.now() < until) world.after(random.between(0.2, 1.8) * EVERY_MS, come);
      };
      world.after(random.between(0, EVERY_MS), come);
    }
};

/** Whoever takes an address away counts the minutes since its row went. */
const areClocksRight = ({ world: { faults } }: Cloud): boolean => faults.counts["clock-skew"] + faults.counts["clock-jump"] === 0;

/** One point of presence: what it keeps, and the releases whose pages were opened there. */
const pointOf = (cloud: Cloud, watch: EdgeWatch, distribution: string) => {
  const { world, lambda } = cloud;
  const kept = new Map<string, Kept>();
  const opened = new Set<string>();
  /** The router never fails a visitor: it says which address answers, or else whose answer is kept. */
  const answers = (rows: Rows, asked: Asked): { address: string; keptFor?: string | undefined } => {
    now = () => world.now();
    const { request, origin } = route(eventOf(distribution, asked), (key) => rows.get(key));
    const key = JSON.stringify([request.uri, cacheKeys.pages.headers.map((name) => request.headers[name]?.value)]);
    const found = kept.get(key);
    if (found !== undefined && found.until > world.now()) return { address: found.address, keptFor: found.of };
    const address = origin !== undefined && "domainName" in origin ? (origin.domainName.split(".")[0] ?? "") : "live";
    kept.set(key, { address, of: request.headers[RELEASE_HEADER]?.value, until: world.now() + KEPT_MS });
    return { address };
  };

  return {
    opened,
    asks: (rows: Rows, asked: Asked): void => {
      const live = parsed(rows.get(liveKey(distribution)));
      const own =
        asked.is === "navigation" && asked.release !== undefined ? parsed(rows.get(releaseKey(distribution, asked.release))) : undefined;
      const isOver = own?.until !== undefined && own.until * 1_000 <= world.now();
      const wanted = own === undefined || isOver ? live : own;
      const { address: answered, keptFor } = answers(rows, asked);
      // an address that a hand deleted and a flip made again has another URL, and what was kept of it is the release's
      if (wanted !== undefined && answered !== wanted.server && keptFor !== String(wanted.address))
        world.violate(
          `a ${asked.is} of ${asked.release ?? "nobody"} at ${distribution} was answered by ${answered} instead of ${wanted.server}`,
        );
      const isAway = addressAt(lambda.functions.values(), answered) === undefined;
      if (isAway && keptFor === undefined && watch.handled.size === 0 && areClocksRight(cloud))
        world.violate(`a visitor of ${distribution} is sent to ${answered}, and nobody answers there`);
      if (asked.is === "document" && live !== undefined) opened.add(live.release);
    },
  };
};

const eventOf = (distribution: string, { is, release }: Asked): RouterEvent => {
  const navigation = { rsc: { value: "1" }, accept: { value: "*/*" } };
  const document = { accept: { value: "text/html" }, "sec-fetch-dest": { value: "document" } };
  return {
    version: "1.0",
    context: { distributionDomainName: "d.example", distributionId: distribution, eventType: "viewer-request", requestId: "r" },
    viewer: { ip: "203.0.113.9" },
    request: {
      method: "GET",
      uri: "/page",
      querystring: is === "document" && release !== undefined ? { dpl: { value: release } } : {},
      headers: {
        host: { value: "web.example" },
        ...(is === "document" ? document : navigation),
        ...(is === "navigation" && release !== undefined && { "x-deployment-id": { value: release } }),
      },
      cookies: {},
    },
  };
};

/** What a page may name that somebody has open: each such row leads somewhere until its time is over. */
const follow = ({ world, lambda }: Cloud, watch: EdgeWatch, distribution: string, rows: Rows, whose: string): void => {
  for (const [key, text] of rows) {
    if (!key.startsWith(releaseKey(distribution, "")) || watch.handled.size > 0) continue;
    const row = parsed(text);
    if (row === undefined || (row.until !== undefined && row.until * 1_000 <= world.now())) continue;
    if (addressAt(lambda.functions.values(), row.server) === undefined)
      world.violate(`the row ${key} of ${whose} names r-${row.address} at ${row.server}, and nobody answers there`);
  }
};
