import type { Context } from "hono";
import type { z } from "zod";
import { check, Problem } from "./problem.ts";

/** The JSON body, checked. No body is `{}`. */
export async function bodyOf<S extends z.ZodType>(context: Context, schema: S): Promise<z.infer<S>> {
  const text = await context.req.text();
  let body: unknown;
  try {
    body = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Problem(400, "body.invalid", "The request is not valid. The body is not JSON.");
  }
  return check(schema, body, "body");
}

/** The query, checked. A name that is given twice counts once. */
export const queryOf = <S extends z.ZodType>(context: Context, schema: S): z.infer<S> => check(schema, context.req.query(), "query");
