import type { Context } from "hono";
import type { z } from "zod";
import type { Client } from "../client/client.ts";
import type { WhoAsks } from "../client/contract.ts";
import { type Ask, engineAs } from "./engine.ts";

export type Ports = {
  readonly ask: Ask;
  /** milliseconds since 1970 */
  now(): number;
  /** names one form: sent twice, it is one command */
  key(): string;
};

/** What a request of somebody who signed in knows. */
export type Env = { Variables: { bearer: string; caller: z.infer<typeof WhoAsks>["caller"]; begins: number | undefined } };

/** The engine, asked in the name of who signed in. */
export const clientOf = ({ ask }: Ports, context: Context<Env>): Client =>
  engineAs(ask, { token: context.get("bearer") }, context.env as object, context.req.raw.signal);

/** A field of the form, as text; "" where there is none. */
export const formField = async (context: Context, name: string): Promise<string> => {
  const value = (await context.req.parseBody())[name];
  return typeof value === "string" ? value.trim() : "";
};
