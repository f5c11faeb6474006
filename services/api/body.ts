import type { Context } from "hono";
import type { z } from "zod";
import type { Env } from "./caller.ts";
import { check, Problem } from "./problem.ts";

/** The JSON body, checked, as it came: for who only looks whether it may be. No body is `{}`. */
export async function formOf<S extends z.ZodType>(context: Context<Env>, schema: S): Promise<z.infer<S>> {
  const text = await context.req.text();
  let body: unknown;
  try {
    body = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Problem(400, "body.invalid", "The request is not valid. The body is not JSON.");
  }
  return check(schema, body, "body");
}

/** The JSON body, checked. No body is `{}`. A reason has no e-mail address in it any more. */
export async function bodyOf<S extends z.ZodType>(context: Context<Env>, schema: S): Promise<z.infer<S>> {
  const checked = await formOf(context, schema);
  if (!hasReason(checked)) return checked;
  return { ...checked, reason: await context.get("hide").addresses(checked.reason) };
}

const hasReason = (body: unknown): body is { reason: string } =>
  typeof body === "object" && body !== null && "reason" in body && typeof body.reason === "string";

/** The query, checked. A name that is given twice counts once. */
export const queryOf = <S extends z.ZodType>(context: Context, schema: S): z.infer<S> => check(schema, context.req.query(), "query");
