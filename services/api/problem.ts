import type { z } from "zod";
import type { Refusal } from "../../domain/kernel/decider.ts";

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 422 | 501 | 503;

/** An answer that is a "no", made for the person who asked. Everything else that is thrown is a fault: 500, without its text. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: Status;
  readonly code: string;
  readonly candidates: readonly string[] | undefined;
  constructor(status: Status, code: string, message: string, candidates?: readonly string[]) {
    super(message);
    this.status = status;
    this.code = code;
    this.candidates = candidates;
  }
}

export const problemBody = ({ code, message, candidates }: Pick<Problem, "code" | "message" | "candidates">) => ({
  error: { code, message, ...(candidates === undefined ? {} : { candidates }) },
});

/** The rules said no: what to, and why. */
export const refused = (what: string, { refused: code, because }: Refusal): Problem => new Problem(409, code, `${what}: ${because}.`);

/** Checks what came in; the problem names the field that is wrong. */
export function check<S extends z.ZodType>(schema: S, input: unknown, where: "body" | "query"): z.infer<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? `the ${where}` : `"${path.join(".")}"`}: ${message}`,
  );
  throw new Problem(400, `${where}.invalid`, `The request is not valid. ${issues.join("; ")}.`);
}
