import { counted } from "../domain/kernel/counted.ts";

/** Rows of the event table that were verified, and how many of their commits are sealed. */
export type Compared = { readonly rows: number; readonly commits: number };

/** What rows were compared with, for a person. @param from what the log itself was verified by */
export const sayLog = ({ rows, commits }: Compared, from: string): string =>
  from === "table"
    ? `${counted(rows, "commit")} in the event table: the chain of each stream is whole. No seal was read.`
    : `${counted(rows, "commit")} in the event table: each of the ${commits} that are sealed is as it was sealed, and every chain is whole.`;
