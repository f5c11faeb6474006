/**
 * How much of a path the pattern of a CDN's behaviour says (`api/*`, with or without a slash before it): what says more is
 * tried before what says less, and an exact path first.
 */
export const specificity = (pattern: string): number =>
  /[*?]/.test(pattern) ? pattern.replace(/^\/|[*?]/g, "").length : Number.POSITIVE_INFINITY;
