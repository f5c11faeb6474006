import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Release } from "../../domain/deployment/shapes.ts";
import { STREAMING_WRAPPER } from "./output.ts";

/**
 * Why the address of an environment cannot serve a server of this mode; `undefined` where it can.
 *
 * An address belongs to the alias, so it has one mode for every release that is live at it, and the site declares which.
 * Nothing else compares modes: once releases have addresses of their own, this is what their router takes over.
 */
export const misfitOf = ({ site, environment, streaming }: SiteConfig, server: { readonly streaming: boolean }): string | undefined => {
  if (streaming === server.streaming) return undefined;
  const place = `${site}/${environment}`;
  const declare = `declare "streaming": ${server.streaming} for the site "${site}" in shiplog.sites.json and put it into effect (deploy the infrastructure, or start shiplog dev again)`;
  return server.streaming
    ? `its server streams (wrapper "${STREAMING_WRAPPER}") and the address of ${place} takes whole answers: remove the wrapper from open-next.config.ts and deploy again, or ${declare}`
    : `its server gives whole answers and the address of ${place} streams: set default.override.wrapper to "${STREAMING_WRAPPER}" in open-next.config.ts and deploy again, or ${declare}`;
};

/** The mode that a release was published with; those from before there were two answer whole. */
export const isStreaming = ({ functions }: Release): boolean =>
  functions.some(({ role, streaming }) => role === "server" && streaming === true);
