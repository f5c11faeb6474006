import type { Target } from "./load.ts";

type Candidate = Pick<Target, "kind" | "path">;

/** What every kind of route looks like in the example app; of another app, those that it has. */
const KNOWN: readonly Candidate[] = [
  { kind: "ssr", path: "/ssr" },
  { kind: "isr", path: "/isr" },
  { kind: "dynamic", path: "/products/1" },
  { kind: "api", path: "/api/hello" },
  { kind: "image", path: "/_next/image?url=%2Fharbour.png&w=640&q=75" },
  { kind: "file", path: "/release.txt" },
  { kind: "file", path: "/robots.txt" },
];

/** Of each kind that a home page names. Images cost most to make, and one shows as much as four. */
const AT_MOST = { asset: 4, image: 1, file: 2 } as const;

/**
 * The addresses of a live site that are put under load: its home page whatever it answers, and of the chunks, images,
 * files and routes that are known or that the home page names, those that answer well.
 */
export const findTargets = async (url: string): Promise<Target[]> => {
  const { kind, status, landed, html } = await openHome(url);
  const home: Candidate[] = landed === "/" ? [] : [{ kind: "page", path: landed }];
  const candidates = new Map([...home, ...KNOWN, ...namedIn(html, url)].map((candidate) => [candidate.path, candidate]));
  candidates.delete("/");
  const found = await Promise.all(
    [...candidates.values()].map(async (candidate) => {
      const answer = await fetch(new URL(candidate.path, url), { redirect: "manual" });
      await answer.arrayBuffer();
      return { ...candidate, status: answer.status };
    }),
  );
  const good = found.filter((target) => target.status >= 200 && target.status < 300);
  const image = good.find((target) => target.kind === "image");
  return [{ kind, path: "/", status }, ...good.filter((target) => target.kind !== "image" || target === image)];
};

/** The home page, and where it leads to when it is no page itself (`/` → `/en`). */
const openHome = async (url: string): Promise<{ kind: string; status: number; landed: string; html: string }> => {
  const first = await fetch(url, { redirect: "manual" });
  const html = await first.text();
  // a page of the build may be kept for a year, one that is rendered per request may not
  const kind = /s-maxage=\d{4,}/.test(first.headers.get("cache-control") ?? "") ? "static" : "page";
  const { status } = first;
  if (status < 300 || status >= 400) return { kind, status, landed: "/", html };
  const last = await fetch(url);
  const { origin, pathname, search } = new URL(last.url);
  const followed = await last.text();
  return { kind: "redirect", status, landed: origin === new URL(url).origin ? pathname + search : "/", html: followed };
};

/** The site's own chunks, images and public files that a page refers to. */
const namedIn = (html: string, url: string): Candidate[] => {
  const named = [...html.matchAll(/\s(?:src|href|poster)="(\/[^"]+)"/g)].map(([, path = ""]) => path.replaceAll("&amp;", "&"));
  const own = [...new Set(named)].filter((path) => new URL(path, url).origin === new URL(url).origin);
  const sorted = own.map((path) => ({ kind: kindOf(new URL(path, url).pathname), path }));
  return Object.entries(AT_MOST).flatMap(([kind, most]) => sorted.filter((one) => one.kind === kind).slice(0, most));
};

const kindOf = (path: string): string => {
  if (path.startsWith("/_next/static/")) return "asset";
  if (path === "/_next/image") return "image";
  return /\.\w{2,5}$/.test(path) ? "file" : "page";
};
