import { isReached, type PublishedFunction } from "../../domain/deployment/shapes.ts";
import { describe } from "../../domain/environment/fence.ts";
import type { ReleaseAddresses } from "../aws/addresses.ts";

export type Ports = { readonly addresses: Pick<ReleaseAddresses, "make"> };
type Addressed = { readonly address: number; readonly deploymentId: string; readonly functions: readonly PublishedFunction[] };

/** The alias of a release on each of its functions that visitors reach. It never moves. */
export const aliasOf = (address: number): string => `r-${address}`;

/**
 * Gives a release its address: on each function that visitors reach an alias of its own with a URL, whatever is there of it
 * already. Answers the URLs by function.
 *
 * @throws AddressTaken where a hand had an alias of this name lead elsewhere
 */
export const makeAddresses = async (
  { addresses }: Ports,
  { address, deploymentId, functions }: Addressed,
): Promise<ReadonlyMap<string, URL>> => {
  const alias = aliasOf(address);
  const urls = await Promise.all(
    functions.filter(isReached).map(async ({ name, version, streaming }) => {
      const wanted = {
        name,
        version,
        alias,
        description: describe({ sequence: address, deploymentId }),
        invokeMode: streaming === true ? "RESPONSE_STREAM" : "BUFFERED",
      } as const;
      return [name, new URL(await addresses.make(wanted))] as const;
    }),
  );
  return new Map(urls);
};
