import { clipped } from "../kernel/text.ts";
import type { EnvironmentCommand } from "./commands.ts";
import type { EnvironmentEvent } from "./events.ts";
import type { Environment } from "./state.ts";

type Command<T extends EnvironmentCommand["type"]> = Extract<EnvironmentCommand, { type: T }>;

/** A look that a flip has overtaken since is no drift: it expects what is past, or found what that flip wrote. */
export const recordEdgeDrift = ({ type: _, ...body }: Command<"RecordEdgeDrift">, state: Environment): readonly EnvironmentEvent[] =>
  state.edge?.sequence !== body.sequence || state.edgeDrift === body.found || isOfFlip(body.found, state)
    ? []
    : [{ type: "EdgeDriftDetected", v: 1, body }];

export const endEdgeDrift = ({ type: _, ...body }: Command<"RecordEdgeDriftEnded">, state: Environment): readonly EnvironmentEvent[] =>
  state.edge?.sequence !== body.sequence || state.edgeDrift === undefined ? [] : [{ type: "EdgeDriftEnded", v: 1, body }];

/**
 * Whether a flip wrote the row since the log's: it has not said so yet, or died before it could.
 *
 * @param found the row as it was read; null where there was none
 */
export const isOfFlip = (found: string | null, { edge, flipped }: Pick<Environment, "edge" | "flipped">): boolean => {
  const written = Number(/^\{"v":1,"sequence":(\d{1,15}),/.exec(found ?? "")?.[1] ?? 0);
  return written > (edge?.sequence ?? 0) && written <= flipped;
};

/**
 * What is wrong with the row of what is live in the edge's table, for a person.
 *
 * @param sequence what went live last @param found the row as it was read; null where there was none
 */
export const sayEdgeDrift = ({ sequence, found }: { readonly sequence: number; readonly found: string | null }): string => {
  if (found === null)
    return `its table has no row of what is live (#${sequence}): visitors are sent to the alias live, and public files are not found`;
  return `its table sends visitors where no flip sent them (#${sequence} went live last): ${sayRow(found)}`;
};

/** Where a row leads: `to #5, r-5 at abc.lambda-url.eu-central-1.on.aws`; as it is where it does not say. */
const sayRow = (text: string): string => {
  const number = (name: string) => new RegExp(`"${name}":(\\d{1,15})[,}]`).exec(text)?.[1];
  const word = (name: string) => new RegExp(`"${name}":"([a-z0-9.:-]{1,100})"`).exec(text)?.[1];
  const [sequence, address, server, host] = [number("sequence"), number("address"), word("server"), word("host")];
  if (sequence === undefined || address === undefined || server === undefined || host === undefined) return clipped(text, 200);
  return `to #${sequence}, r-${address} at ${server}${host}`;
};
