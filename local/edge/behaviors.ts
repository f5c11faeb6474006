import { specificity } from "../../blueprint/path-pattern.ts";

/** One line of a release's routing table, as `open-next.output.json` lists it; patterns carry no leading slash. */
export type Behavior = { readonly pattern: string; readonly origin: string };

/**
 * Makes the lookup "request path → origin" of one release.
 *
 * CloudFront tries behaviours in the order they were written and takes its default last. OpenNext lists `*` before the S3
 * patterns, so its order cannot be used as it is: `*` is the default whatever its place, and the others are tried from the
 * most specific (`specificity`) to the least. A path that nothing matches goes to `default`.
 *
 * Paths are matched percent-encoded, as they came, and letter case counts.
 */
export function router(behaviors: readonly Behavior[]): (path: string) => string {
  const routes = behaviors
    .filter(({ pattern }) => withoutSlash(pattern) !== "*")
    .sort((a, b) => specificity(b.pattern) - specificity(a.pattern))
    .map(({ pattern, origin }) => ({ matches: wildcard(withoutSlash(pattern)), origin }));
  const fallback = behaviors.find(({ pattern }) => withoutSlash(pattern) === "*")?.origin ?? "default";
  return (path) => routes.find(({ matches }) => matches.test(withoutSlash(path)))?.origin ?? fallback;
}

const withoutSlash = (path: string): string => path.replace(/^\//, "");

/** CloudFront's wildcards: `*` stands for any characters, slashes too, and `?` for exactly one. */
const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "s",
  );
