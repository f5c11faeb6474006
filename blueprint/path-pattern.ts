/**
 * How much of a path the pattern of a CDN's behaviour says (`api/*`, with or without a slash before it): what says more is
 * tried before what says less. An exact path says most; then counts what stands before the first wildcard, and then the rest.
 */
export const specificity = (pattern: string): number => {
  if (!/[*?]/.test(pattern)) return Number.POSITIVE_INFINITY;
  const path = pattern.replace(/^\//, "");
  return path.search(/[*?]/) * LONGEST + path.replace(/[*?]/g, "").length;
};

/** More than any pattern has. */
const LONGEST = 10_000;
