import type { GitCommit } from "../../domain/deployment/shapes.ts";
import { PersonId } from "../../domain/kernel/identity.ts";
import { clipped } from "../../domain/kernel/text.ts";
import type { Ports } from "./ports.ts";

/** Puts pseudonyms in place of names, before anything is written that is kept for ever. */
export type Hide = ReturnType<typeof hiding>;

/** In what people write; what a version follows (`next@16.4.5`) is no address. */
const ADDRESS = /[\p{L}\p{N}._%+-]+@(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}/gu;
/** Of a reason or a commit's message, in UTF-16 units. */
const MOST = 500;

/** Addresses of one text that are given a pseudonym; a list of them is nobody's reason. */
const NAMED = 5;

export const hiding = ({ people, chance, clock, report }: Pick<Ports, "people" | "chance" | "clock" | "report">) => {
  /** Where names cannot be kept now, nobody is kept from a rollback: the pseudonym is then one that nobody can read. */
  const person = async (name: string): Promise<string> => {
    const id = chance.personId(clock.now());
    return people.pseudonymOf(name, id).catch((error: unknown) => {
      report({
        level: "error",
        message: "a name could not be kept: the log has a pseudonym without one",
        person: id,
        reason: String(error),
      });
      return id;
    });
  };
  /** A text with pseudonyms in place of e-mail addresses. */
  const addresses = async (text: string): Promise<string> => {
    const hidden = new Map<string, string>();
    for (const [address] of text.matchAll(ADDRESS))
      if (!hidden.has(address)) hidden.set(address, hidden.size < NAMED ? await person(address) : "(an e-mail address)");
    return hidden.size === 0
      ? text
      : clipped(
          text.replace(ADDRESS, (address) => hidden.get(address) ?? address),
          MOST,
        );
  };
  return {
    person,
    addresses,
    /** A commit whose author is a pseudonym: an older release wrote names. */
    commit: async ({ author, message, ...rest }: GitCommit): Promise<GitCommit> => ({
      ...rest,
      ...(message !== undefined && { message: await addresses(message) }),
      ...(author !== undefined && { author: PersonId.safeParse(author).success || author === "" ? author : await person(author) }),
    }),
  };
};
