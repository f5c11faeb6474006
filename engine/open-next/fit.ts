import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { STREAMING_WRAPPER } from "../../blueprint/sites-runtime.ts";
import { kindOf, type PublishedFunction } from "../../domain/deployment/shapes.ts";

type Server = Pick<PublishedFunction, "role"> & {
  readonly streaming?: true | undefined;
  readonly patterns?: readonly string[] | undefined;
};

/**
 * Why the addresses of an environment cannot serve these functions of a release; `undefined` where they can.
 *
 * An address belongs to an alias, and what goes to it to the CDN: both are made before the first release and serve every one.
 * So the site declares which mode they have and which paths go to split functions. Nothing else compares the two: once
 * releases have addresses of their own, this is what their router takes over.
 */
export const misfitOf = (site: SiteConfig, functions: readonly Server[]): string | undefined => {
  const servers = functions.filter(({ role }) => kindOf(role) === "server");
  const other = servers.find(({ streaming }) => (streaming === true) !== site.streaming);
  return other === undefined ? splitMisfitOf(site, servers) : modeMisfitOf(site, other);
};

const modeMisfitOf = (site: SiteConfig, { role, streaming }: Server): string => {
  const [subject, option] = role === "server" ? ["its server", "default"] : [`its function "${nameOf(role)}"`, `functions.${nameOf(role)}`];
  const declare = `declare "streaming": ${streaming === true} for the site "${site.site}" ${IN_EFFECT}`;
  return streaming
    ? `${subject} streams (wrapper "${STREAMING_WRAPPER}") and the address of ${placeOf(site)} takes whole answers: remove the wrapper from open-next.config.ts and deploy again, or ${declare}`
    : `${subject} gives whole answers and the address of ${placeOf(site)} streams: set ${option}.override.wrapper to "${STREAMING_WRAPPER}" in open-next.config.ts and deploy again, or ${declare}`;
};

const splitMisfitOf = (site: SiteConfig, servers: readonly Server[]): string | undefined => {
  const has = inOrder(servers.flatMap(({ role, patterns }) => (patterns === undefined ? [] : [[nameOf(role), patterns] as const])));
  const declared = inOrder(Object.entries(site.functions));
  if (has === declared) return undefined;
  const [whole, split] = [", and no other", "the server alone"];
  return `it has ${has === "{}" ? split : `the split functions ${has}`} and ${placeOf(site)} was made for ${declared === "{}" ? split : `${declared}${whole}`}: change "functions" in open-next.config.ts and deploy again, or declare "functions": ${has} for the site "${site.site}" ${IN_EFFECT}`;
};

const IN_EFFECT = "in shiplog.sites.json and put it into effect (deploy the infrastructure, or start shiplog dev again)";
const placeOf = ({ site, environment }: SiteConfig): string => `${site}/${environment}`;
const nameOf = (role: string): string => role.slice("server-".length);

/** As it is written into a sites file. */
const inOrder = (functions: readonly (readonly [name: string, patterns: readonly string[]])[]): string =>
  JSON.stringify(Object.fromEntries([...functions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, all]) => [name, [...all].sort()])));
