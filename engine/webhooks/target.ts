import { isIP } from "node:net";
import { isLoopback, isPublic } from "./addresses.ts";

/** An endpoint that must not be sent to; the message says why, without the part of the URL that is a secret. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** Every address, of both families, that a name has now. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;
export type Rules = { readonly lookup: Lookup /** development only */; readonly allowLoopback: boolean };

const PORTS = ["443", "8443"];

/** Reads and checks the form of a URL. What its name resolves to is checked by `addressOf`. */
export const readTarget = (text: string, { allowLoopback }: Pick<Rules, "allowLoopback">): URL => {
  if (!URL.canParse(text)) throw new Refused("it is not a URL: write it with https://");
  const url = new URL(text);
  if (text.length > 2_000) throw new Refused("it is longer than 2,000 characters");
  if (url.username !== "" || url.password !== "") throw new Refused("it holds a user name or password: put a token into the path instead");
  if (allowLoopback && isHere(url)) {
    if (url.protocol !== "https:" && url.protocol !== "http:") throw new Refused("it must begin with https:// or http://");
    return url;
  }
  const instead = isHere(url) ? "; one on this machine is taken by `shiplog dev --allow-loopback-webhooks`" : "";
  if (url.protocol !== "https:") throw new Refused(`it must begin with https://${instead}`);
  if (url.port !== "" && !PORTS.includes(url.port))
    throw new Refused(`its port is ${url.port}: only ${PORTS.join(" and ")} are allowed${instead}`);
  const address = bare(url.hostname);
  if (isIP(address) !== 0 && !isPublic(address)) throw new Refused(`${notPublic(address)}${instead}`);
  return url;
};

/**
 * The address to connect to: looked up now, and only where every address that the name has is public. Asked again for
 * each attempt, and connected to as it is, so that a name that changes in between changes nothing.
 */
export const addressOf = async (url: URL, { lookup, allowLoopback }: Rules): Promise<string> => {
  const host = bare(url.hostname);
  const addresses = isIP(host) === 0 ? await lookup(host) : [host];
  if (addresses.length === 0) throw new Refused(`its name ${host} has no address`);
  const fits = (address: string): boolean => isPublic(address) || (allowLoopback && isHere(url) && isLoopback(address));
  const bad = addresses.find((address) => !fits(address));
  if (bad !== undefined) throw new Refused(isIP(host) === 0 ? `its name ${host} resolves to ${bad}, ${notPublicEnd}` : notPublic(bad));
  // a function without IPv6 cannot reach the other one
  return addresses.find((address) => isIP(address) === 4) ?? (addresses[0] as string);
};

/** `https://hooks.slack.com/…`: the path of a webhook is its secret. */
export const masked = (url: URL): string => `${url.origin}/…`;

const notPublicEnd = "which is not a public address";
const notPublic = (address: string): string => `its address ${address} is not a public one`;
const isHere = ({ hostname }: URL): boolean => hostname === "localhost" || isLoopback(bare(hostname));
/** `[::1]` → `::1` */
export const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");
