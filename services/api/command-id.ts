import { hash } from "node:crypto";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** An id of what a command makes, `<prefix>_` and 26 characters: the same command, repeated, names the same. */
export const idOfCommand = (prefix: string, cause: string): string => {
  const [first = 0, ...rest] = hash("sha256", cause, "buffer").subarray(0, 26);
  return `${prefix}_${CROCKFORD[first % 8]}${rest.map((byte) => CROCKFORD[byte % 32]).join("")}`;
};
