/**
 * Why a request is refused as one that a web page sent; `undefined` where nothing says so. Browsers put `Origin` into
 * every request that may change something, and `Sec-Fetch-Site` into those to https and to this machine; no page can
 * leave them out or forge them.
 *
 * @param origin the header `Origin`
 * @param site the header `Sec-Fetch-Site`: `none` where a person typed the address
 */
export const sentByPage = ({ origin, site }: { origin: string | undefined; site: string | undefined }): string | undefined => {
  if (origin !== undefined)
    return `A web page (${origin.slice(0, 200)}) sent this. Web pages are not served here: use the CLI or a program.`;
  if (site === "cross-site" || site === "same-site") return `A page of another site sent this (${site}). Web pages are not served here.`;
  return undefined;
};
