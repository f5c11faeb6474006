import { ACCOUNT, REGION } from "../http.ts";
import { invalid, malformed } from "./refusals.ts";

export const LATEST = "$LATEST";

/** What a FunctionName parameter points at; `qualifier` is a version number, an alias, `$LATEST` or absent. */
export type FunctionReference = { readonly name: string; readonly qualifier: string | undefined };

const REFERENCE =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9-_]{1,64})(?::(\$LATEST|[a-zA-Z0-9-_]{1,128}))?$/;

/**
 * Reads a FunctionName: a name, a partial ARN or an ARN, each optionally with `:qualifier`.
 * A qualifier may also come beside it; both must then agree.
 */
export const functionReference = (raw: string, beside?: string | null): FunctionReference => {
  const match = REFERENCE.exec(raw);
  if (!match?.[1]) {
    throw malformed(
      `1 validation error detected: Value '${raw}' at 'functionName' is not a function name, a partial ARN or a function ARN`,
    );
  }
  const within = match[2];
  if (within && beside && within !== beside) {
    throw invalid("The derived qualifier from the function name does not match the specified qualifier.");
  }
  return { name: match[1], qualifier: within ?? beside ?? undefined };
};

/** True for a published version's number. */
export const isVersionNumber = (qualifier: string): boolean => /^[0-9]+$/.test(qualifier);

export const functionArn = (name: string, qualifier?: string): string =>
  `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}${qualifier ? `:${qualifier}` : ""}`;
