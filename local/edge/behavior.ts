import type { Behavior } from "../../blueprint/edge-behaviors.ts";

/**
 * Makes the lookup "path → behaviour": the first that matches, as CloudFront does it. Paths are matched percent-encoded, as
 * they came, and letter case counts.
 */
export const behaviorOf = (behaviors: readonly Behavior[]): ((path: string) => Behavior) => {
  const tried = behaviors.map((behavior) => ({ behavior, pattern: wildcard(behavior.pattern) }));
  return (path) => {
    const found = tried.find(({ pattern }) => pattern.test(path.replace(/^\//, "")));
    if (found === undefined) throw new Error(`no behaviour takes ${path}: the last one of an edge must be "*"`);
    return found.behavior;
  };
};

/** CloudFront's wildcards: `*` stands for any characters, slashes too, and `?` for exactly one. A slash before it says nothing. */
export const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/^\//, "")
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "s",
  );
