import { lookup } from "node:dns/promises";
import { type Lookup, Refused } from "./target.ts";

/** Every address of a name, of both families, as this machine sees it now. */
export const everyAddress: Lookup = async (hostname) => {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (error instanceof Error && "code" in error) throw new Refused(`its name ${hostname} does not resolve (${String(error.code)})`);
    throw error;
  }
};
