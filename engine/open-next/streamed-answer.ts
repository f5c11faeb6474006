import * as z from "zod";

/** The content type that marks an HTTP answer which a function streams: a prelude in JSON, eight zero bytes, the body. */
export const STREAMED = "application/vnd.awslambda.http-integration-response";

const Prelude = z.object({
  statusCode: z.number().int().default(200),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  multiValueHeaders: z.record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean()]))).optional(),
  cookies: z.array(z.string()).default([]),
});

/** Status, headers and cookies of a streamed answer, as its function wrote them. */
export type Prelude = z.infer<typeof Prelude>;

/** What a function streamed does not begin with a prelude. */
export class PreludeRefused extends Error {
  override readonly name = "PreludeRefused";
}

const SEPARATOR = Buffer.alloc(8);
/** Far more than headers may have: what has no end by then has none. */
const MAX_PRELUDE_BYTES = 1024 * 1024;

/**
 * Reads where a streamed answer begins: the prelude, and the place of the body's first byte in what came so far.
 *
 * @returns `undefined` as long as the prelude's end has not come
 * @throws PreludeRefused where it can be none
 */
export const readPrelude = (begun: Buffer): { readonly prelude: Prelude; readonly bodyAt: number } | undefined => {
  const end = begun.indexOf(SEPARATOR);
  if (end < 0) {
    if (begun.length > MAX_PRELUDE_BYTES) throw new PreludeRefused(`no prelude ends within ${MAX_PRELUDE_BYTES} bytes`);
    return undefined;
  }
  const parsed = Prelude.safeParse(json(begun.subarray(0, end)));
  if (!parsed.success) throw new PreludeRefused(`what comes before the eight zero bytes is no prelude: ${parsed.error.message}`);
  return { prelude: parsed.data, bodyAt: end + SEPARATOR.length };
};

const json = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
};
