type Behavior = { readonly pattern: string; readonly origin: string };

/**
 * A behaviour as requests are compared with it. OpenNext writes the names of public files as they are on disk, and paths
 * come percent-encoded: as browsers do it, and as `encodeURI` does, which also encodes brackets.
 */
export const asRequested = ({ pattern, origin }: Behavior): Behavior[] => {
  if (origin !== "s3") return [{ pattern, origin }];
  const [, name = "", below = ""] = /^(.*?)(\/\*)?$/s.exec(pattern) ?? [];
  const byCode = name.split("/").map(encoded).join("/");
  const byBrowser = byCode.replace(/%(5B|5D|7C)/g, decodeURIComponent);
  return [...new Set([byBrowser, byCode])].map((path) => ({ pattern: path + below, origin }));
};

/** A star or a question mark that is a part of a name is no wildcard. */
const encoded = (name: string): string =>
  encodeURIComponent(name)
    .replace(/%(24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
    .replaceAll("*", "%2A");
