import type { ReleaseAddresses } from "../../engine/aws/addresses.ts";
import type { EdgeTable } from "../../engine/aws/edge-table.ts";

/** An edge's table that is held here, for hands to change: one store, whose version is how often it was changed. */
export const heldTable = () => {
  const rows = new Map<string, string>();
  let version = 0;
  const writes: string[][] = [];
  let looked = (): void | Promise<void> => undefined;
  const table: EdgeTable = {
    version: async () => String(version),
    get: async (_, key) => {
      const found = rows.get(key);
      await looked();
      return found;
    },
    list: async () => new Map(rows),
    update: async (_, guard, { puts, deletes = [] }) => {
      if (guard !== String(version)) throw Object.assign(new Error("it was changed"), { name: "PreconditionFailedException" });
      version += 1;
      for (const [key, value] of Object.entries(puts)) rows.set(key, value);
      for (const key of deletes) rows.delete(key);
      writes.push(Object.keys(puts));
      return String(version);
    },
  };
  return {
    table,
    rows: rows as ReadonlyMap<string, string>,
    /** the keys that each write put */
    writes,
    /** What happens right after a row is read, from now on. */
    onLook: (happens: () => void | Promise<void>): void => {
      looked = happens;
    },
    hand: (key: string, value: string | undefined): void => {
      version += 1;
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    },
  };
};

/** Addresses that are there as soon as they are asked for. */
export const heldAddresses = () => {
  const made = new Map<string, string>();
  const urlOf = (name: string, alias: string): string =>
    `https://${`${name}${alias}`.replace(/[^a-z0-9]/g, "")}.lambda-url.eu-west-1.on.aws/`;
  const addresses: Pick<ReleaseAddresses, "make" | "find" | "remove"> = {
    make: async ({ name, alias, version }) => {
      made.set(`${name} ${alias}`, version);
      return urlOf(name, alias);
    },
    find: async ({ name, alias }) => {
      const version = made.get(`${name} ${alias}`);
      return version === undefined ? undefined : { version, url: urlOf(name, alias) };
    },
    remove: async ({ name, alias }) => void made.delete(`${name} ${alias}`),
  };
  return { addresses, made: made as ReadonlyMap<string, string> };
};
